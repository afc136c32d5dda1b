"use strict";
// What is on screen, kept up to date: elements say what they show, one web socket for the tab carries it.
(() => {
  const PATH = "/ui/live", AGAIN = 1500, GONE = 250, KEPT = 1000;
  const watchers = new Map(); // number -> element
  const watched = new WeakMap(); // element -> number
  let socket = null, next = 1, on = {}, off = [], queued = false;

  function flush() {
    queued = false;
    if (socket?.readyState !== WebSocket.OPEN) return;
    if (Object.keys(on).length || off.length) socket.send(JSON.stringify({on, off}));
    on = {}; off = [];
  }
  function queue() {
    if (!queued) { queued = true; setTimeout(flush, 0); }
  }
  function watch(element) {
    if (watched.has(element)) return;
    const what = element.what();
    if (!what) return;
    const number = String(next++);
    watchers.set(number, element); watched.set(element, number);
    on[number] = what; queue();
  }
  function unwatch(element) {
    const number = watched.get(element);
    if (!number) return;
    watchers.delete(number); watched.delete(element);
    if (on[number]) delete on[number]; else off.push(number);
    queue();
  }
  function connect() {
    socket = new WebSocket(location.origin.replace(/^http/, "ws") + PATH);
    socket.onopen = () => {
      document.documentElement.dataset.live = "yes";
      on = Object.fromEntries([...watchers].map(([number, element]) => [number, element.what()]));
      off = []; flush();
    };
    socket.onmessage = event => {
      for (const [number, said] of Object.entries(JSON.parse(event.data))) {
        const element = watchers.get(number);
        if (!element) continue;
        if (last.size > KEPT) last.clear();
        last.set(String(element.what()), said);
        element.tell(said);
      }
    };
    socket.onclose = async () => {
      document.documentElement.dataset.live = "no";
      await new Promise(done => setTimeout(done, AGAIN));
      // Whoever is not known any more is led to the door.
      try {
        if ((await fetch("/sessions/current")).status === 401) { location.reload(); return; }
      } catch { /* the platform is away: it is asked again */ }
      connect();
    };
  }

  const seen = new IntersectionObserver(entries => {
    for (const {target, isIntersecting} of entries) (isIntersecting ? watch : unwatch)(target);
  }, {rootMargin: "200px"});

  const last = new Map(); // what is watched -> what was told of it, for elements that are made anew
  class Watching extends HTMLElement {
    connectedCallback() { this.again(); seen.observe(this); }
    again() {
      const told = last.get(String(this.what()));
      if (told !== undefined) this.tell(told);
    }
    disconnectedCallback() { seen.unobserve(this); setTimeout(() => { if (!this.isConnected) unwatch(this); }, GONE); }
    attributeChangedCallback(name, before, after) {
      if (before === after || !watched.has(this)) return;
      unwatch(this); this.textContent = ""; watch(this);
    }
    tell() {}
  }

  // --- values ---
  const DASH = "–";
  function figures(value, digits) {
    const size = Math.abs(value);
    const places = digits ?? (size >= 1000 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : size === 0 ? 1 : 3);
    return value.toLocaleString(undefined, {minimumFractionDigits: places, maximumFractionDigits: places});
  }
  function inWords(said) {
    const {v} = said;
    if (v === true) return said.w ? "on" : "yes";
    if (v === false) return said.w ? "off" : "no";
    return typeof v === "number" ? figures(v, said.d) : v === null ? DASH : String(v);
  }
  customElements.define("diat-value", class extends Watching {
    static observedAttributes = ["thing", "name"];
    what() { return ["value", this.getAttribute("thing"), this.getAttribute("name")]; }
    tell(said) {
      this.classList.toggle("withheld", Boolean(said?.x));
      this.classList.toggle("uncertain", Boolean(said?.q));
      this.classList.toggle("number", typeof said?.v === "number");
      if (!said || said.x) { this.textContent = said?.x ? "withheld" : DASH; this.title = said?.x ?? ""; return; }
      const text = document.createElement("b"), unit = document.createElement("small");
      text.textContent = inWords(said); unit.textContent = said.u ?? "";
      this.replaceChildren(text, unit);
      this.title = (said.q ? `${said.q}; ` : "") + whole(new Date(said.t));
      this.dispatchEvent(new CustomEvent("value", {detail: said, bubbles: true}));
    }
  });
  customElements.define("diat-status", class extends Watching {
    static observedAttributes = ["thing"];
    what() { return ["status", this.getAttribute("thing")]; }
    tell(said) {
      const tone = {online: "good", offline: "bad", sleeping: "plain"}[said] ?? "plain";
      this.textContent = said === "unknown" ? "not said" : said; this.className = `chip ${tone}`;
    }
  });
  // Fires "changed" when something of its kind has changed since the page was made.
  customElements.define("diat-watch", class extends Watching {
    what() { return [this.getAttribute("of")]; }
    again() {} // it is told apart from what it was made with
    tell(said) {
      this.last ??= this.getAttribute("since");
      if (String(said) !== this.last) this.dispatchEvent(new CustomEvent("changed"));
      this.last = String(said);
    }
  });

  // --- times ---
  const AGO = new Intl.RelativeTimeFormat(undefined, {numeric: "auto", style: "short"});
  let format = null;
  function whole(at) {
    // In the zone that is set for all, else in that of whoever looks.
    format ??= new Intl.DateTimeFormat(undefined, {
      dateStyle: "medium", timeStyle: "medium", timeZone: document.querySelector("[data-zone]")?.dataset.zone || undefined,
    });
    return format.format(at);
  }
  function ago(at) {
    const seconds = (at - Date.now()) / 1000, size = Math.abs(seconds);
    if (size < 5) return "just now";
    for (const [unit, length, below] of [["second", 1, 60], ["minute", 60, 3600], ["hour", 3600, 86400], ["day", 86400, Infinity]])
      if (size < below) return AGO.format(Math.round(seconds / length), unit);
  }
  const ages = new Set();
  customElements.define("diat-time", class extends HTMLElement {
    static observedAttributes = ["at"];
    connectedCallback() { this.show(); if (this.hasAttribute("ago")) ages.add(this); }
    disconnectedCallback() { ages.delete(this); }
    attributeChangedCallback() { this.show(); }
    show() {
      const at = new Date(this.getAttribute("at"));
      if (isNaN(at)) { this.textContent = DASH; return; }
      this.title = whole(at);
      this.textContent = this.hasAttribute("ago") ? ago(at) : this.title;
    }
  });
  setInterval(() => ages.forEach(each => each.show()), 5000);

  // --- small charts ---
  const SVG = "http://www.w3.org/2000/svg";
  function spark(element, points) {
    const most = Math.max(1, ...points), wide = 120, high = 32;
    const step = points.length > 1 ? wide / (points.length - 1) : wide;
    const line = points.map((each, at) => `${(at * step).toFixed(1)},${(high - 2 - each / most * (high - 4)).toFixed(1)}`);
    const picture = document.createElementNS(SVG, "svg"), path = document.createElementNS(SVG, "polyline");
    picture.setAttribute("viewBox", `0 0 ${wide} ${high}`); picture.setAttribute("preserveAspectRatio", "none");
    picture.setAttribute("aria-hidden", "true");
    path.setAttribute("points", line.join(" ")); picture.append(path); element.replaceChildren(picture);
  }
  // Counts of the whole platform: one element hears them, those with data-figure and data-spark show them.
  customElements.define("diat-figures", class extends Watching {
    what() { return ["figures"]; }
    tell(said) {
      if (!said || said.x) return;
      const last = said.samples.at(-1) ?? {messages: 0, commands: 0};
      for (const each of this.querySelectorAll("[data-figure]")) {
        const [kind, name] = each.dataset.figure.split(".");
        const value = kind === "rate" ? last[name] : said.counts[name];
        if (value !== undefined) each.textContent = each.dataset.bytes !== undefined ? bytes(value) : figures(value, kind === "rate" && value < 100 ? 1 : 0);
      }
      for (const each of this.querySelectorAll("[data-spark]")) spark(each, said.samples.map(one => one[each.dataset.spark]));
    }
  });
  function bytes(value) {
    for (const unit of ["B", "kB", "MB", "GB"]) { if (Math.abs(value) < 1000) return `${figures(value, unit === "B" ? 0 : 1)} ${unit}`; value /= 1000; }
    return `${figures(value, 1)} TB`;
  }

  // Messages and bytes a second from tier to tier, and of each thing of a service.
  customElements.define("diat-crossing", class extends Watching {
    what() { return ["crossing", this.getAttribute("service")]; }
    tell(said) {
      if (!said?.since) return;
      const show = (element, rates) => {
        const [messages, size] = rates.reduce((sum, each) => each ? [sum[0] + each[0], sum[1] + each[1]] : sum, [0, 0]);
        for (const each of element.querySelectorAll("[data-rate]"))
          each.textContent = each.dataset.rate === "bytes" ? `${bytes(size)}/s` : figures(messages, messages < 0.1 && messages ? 2 : messages < 1000 ? 1 : 0);
      };
      for (const each of this.querySelectorAll("[data-line]")) show(each, [said.lines[each.dataset.line]]);
      for (const each of this.querySelectorAll("[data-of]")) show(each, JSON.parse(each.dataset.of).map(one => said.of[one]));
    }
  });

  // --- maps: who is where on the ground, in metres, north up ---
  customElements.define("diat-map", class extends Watching {
    what() { return ["positions", this.getAttribute("thing"), this.getAttribute("name")]; }
    tell(said) {
      if (!Array.isArray(said)) { this.textContent = said?.x ? "withheld" : "nobody"; return; }
      const box = this.box ??= [Infinity, Infinity, -Infinity, -Infinity];
      for (const [, x, y] of said) {
        box[0] = Math.min(box[0], x - 3); box[1] = Math.min(box[1], y - 3);
        box[2] = Math.max(box[2], x + 3); box[3] = Math.max(box[3], y + 3);
      }
      const picture = document.createElementNS(SVG, "svg");
      if (!isFinite(box[0])) { this.textContent = "nobody is there"; return; }
      const [wide, high] = [box[2] - box[0], box[3] - box[1]], size = Math.max(wide, high) / 60;
      picture.setAttribute("viewBox", `${box[0]} ${-box[3]} ${wide} ${high}`);
      for (const [id, x, y, heading] of said) {
        const one = document.createElementNS(SVG, "g"), name = document.createElementNS(SVG, "title");
        one.setAttribute("transform", `translate(${x} ${-y}) rotate(${typeof heading === "number" ? -heading : 0})`);
        const shape = document.createElementNS(SVG, typeof heading === "number" ? "path" : "circle");
        if (typeof heading === "number") shape.setAttribute("d", `M${1.8 * size} 0L${-size} ${size}L${-.5 * size} 0L${-size} ${-size}Z`);
        else shape.setAttribute("r", String(size));
        name.textContent = `${id}: ${figures(x, 1)} m, ${figures(y, 1)} m`;
        one.append(name, shape); picture.append(one);
      }
      this.replaceChildren(picture);
    }
  });

  // --- the frame ---
  document.addEventListener("change", event => {
    const like = event.target.dataset?.like;
    if (!like) return;
    document.cookie = `${like}=${event.target.value}; path=/; max-age=31536000; samesite=strict`;
    location.reload();
  });
  function sheet(open) {
    const more = document.querySelector(".more");
    more?.classList.toggle("open", open);
    more?.querySelector("button").setAttribute("aria-expanded", String(open));
  }
  document.addEventListener("click", async event => {
    const more = event.target.closest?.("[data-more]");
    if (more) sheet(more.getAttribute("aria-expanded") !== "true");
    else if (!event.target.closest?.(".more")) sheet(false);
    if (!event.target.closest?.("[data-log-out]")) return;
    const {csrf} = await (await fetch("/sessions/current")).json();
    await fetch("/sessions/current", {method: "DELETE", headers: {"X-CSRF-Token": csrf ?? ""}});
    location.href = "/ui/";
  });
  document.addEventListener("keydown", event => {
    if (event.key !== "Escape" || !document.querySelector(".more.open")) return;
    sheet(false);
    document.querySelector("[data-more]").focus();
  });

  // What was painted first goes when the page itself is there, before anything of both is painted.
  const first = document.getElementById("first"), app = document.getElementById("app");
  if (first && app) {
    const swap = new MutationObserver(() => {
      if (!app.childElementCount) return;
      first.remove(); swap.disconnect();
      performance.mark("whole");
    });
    swap.observe(app, {childList: true});
  }

  connect();
})();
