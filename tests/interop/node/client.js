// An outside WoT client. It knows the address of a platform and what a thing is called, and nothing else of ours:
// all the rest it learns from descriptions. Each line that it writes is one thing done, as JSON.
//
//     node client.js http://127.0.0.1:8000 "title of the thing"
"use strict";

const { Servient } = require("@node-wot/core");
const { HttpClientFactory } = require("@node-wot/binding-http");
const { MqttClientFactory } = require("@node-wot/binding-mqtt");

const [platform, title] = process.argv.slice(2);

function done(what, value) {
  process.stdout.write(JSON.stringify({ what, value }) + "\n");
}

async function start(factory) {
  const servient = new Servient();
  servient.addClientFactory(factory);
  return [servient, await servient.start()];
}

/** The next value that a subscription brings once something was done about it. */
async function next(subscribe, provoke) {
  let subscription;
  const value = await new Promise((resolve, reject) => {
    subscribe(async (output) => resolve(await output.value()), reject)
      .then((opened) => {
        subscription = opened;
        return provoke();
      })
      .catch(reject);
  });
  // Without waiting: some bindings answer only when the broker does.
  subscription.stop().catch(() => {});
  return value;
}

async function overHttp() {
  const [servient, wot] = await start(new HttpClientFactory());
  const introduction = await wot.requestThingDescription(`${platform}/.well-known/wot`);
  done("introduced", introduction["@type"]);
  const directory = await wot.consume(introduction);

  const query = `$[?@.title == '${title}']`;
  const found = await directory.invokeAction("searchJSONPath", undefined, { uriVariables: { query } });
  const [td] = await found.value();
  done("found", td.id);
  const retrieved = await directory.invokeAction("retrieveThing", undefined, {
    uriVariables: { id: td.id },
  });
  done("retrieved", (await retrieved.value()).title);

  const thing = await wot.consume(td);
  done("read", await (await thing.readProperty("level")).value());
  const all = await thing.readAllProperties();
  done("read all", await all.get("level").value());
  await thing.writeProperty("target", 42);
  done("wrote", await (await thing.readProperty("target")).value());
  await thing.invokeAction("fill", { by: 3 });
  done("invoked", true);
  const observed = await next(
    (listener, failed) => thing.observeProperty("target", listener, failed),
    () => thing.writeProperty("target", 43)
  );
  done("observed", observed);
  const event = await next(
    (listener, failed) => thing.subscribeEvent("overflow", listener, failed),
    () => thing.invokeAction("fill", { by: 100 })
  );
  done("heard", event);
  await servient.shutdown();
  return td;
}

async function overMqtt(td) {
  const [servient, wot] = await start(new MqttClientFactory({}));
  // It has no client for HTTP, so it can take no other form.
  const thing = await wot.consume(td);
  done("read over MQTT", await (await thing.readProperty("level")).value());
  const values = [];
  await new Promise((resolve, reject) => {
    thing
      .observeProperty("target", async (output) => values.push(await output.value()) && resolve(), reject)
      .catch(reject);
  });
  done("observed over MQTT", values[0]);
  await servient.shutdown();
}

overHttp()
  .then(overMqtt)
  .then(
    () => process.exit(0),
    (error) => {
      process.stderr.write(`${error.stack}\n`);
      process.exit(1);
    }
  );
