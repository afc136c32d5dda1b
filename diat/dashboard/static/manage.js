"use strict";
// The log as it is written, and secrets that are copied.
(() => {
  const MOST = 1000;
  const TIME = new Intl.DateTimeFormat(undefined, {timeStyle: "medium"});

  customElements.define("diat-log", class extends HTMLElement {
    connectedCallback() {
      this.form = this.querySelector("form"); this.list = this.querySelector("ol");
      this.standing = this.querySelector("[data-standing]"); this.last = 0; this.paused = false;
      this.form.addEventListener("submit", event => event.preventDefault());
      this.form.addEventListener("input", () => { clearTimeout(this.typing); this.typing = setTimeout(() => this.begin(), 300); });
      const pause = this.querySelector("[data-pause]");
      pause.addEventListener("click", () => {
        this.paused = !this.paused; pause.setAttribute("aria-pressed", String(this.paused));
        pause.textContent = this.paused ? "Go on" : "Pause";
        if (this.paused) { this.source?.close(); this.say("Paused."); } else this.begin();
      });
      this.begin();
    }
    disconnectedCallback() { this.source?.close(); }
    async begin() {
      const asked = new URLSearchParams([...new FormData(this.form)].filter(([, value]) => value));
      const turn = this.turn = {}, waiting = [];
      this.source?.close(); this.last = 0; let listed = false;
      const source = this.source = new EventSource(`/logs/follow?${asked}`);
      source.onmessage = event => { const line = JSON.parse(event.data); listed ? this.add([line]) : waiting.push(line); };
      source.addEventListener("missed", event => this.say(`${JSON.parse(event.data).missed ?? "Some"} lines were gone before they could be told.`));
      source.addEventListener("ended", event => { source.close(); this.say(JSON.parse(event.data).reason); });
      source.onerror = () => this.say("The platform is away; it goes on when that is back.");
      source.onopen = () => this.say(this.list.children.length ? "Live." : "Live. Nothing that fits yet.");
      const answer = await fetch(`/logs?limit=500&${asked}`);
      if (turn !== this.turn) return;
      this.list.replaceChildren();
      const lines = await answer.json();
      if (!answer.ok) { this.say(lines.detail); return; }
      this.add(lines); listed = true; this.add(waiting);
      this.list.scrollTop = this.list.scrollHeight;
    }
    say(text) { this.standing.textContent = text; }
    add(lines) {
      const follows = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 40;
      for (const line of lines) {
        if (line.no <= this.last) continue;
        this.last = line.no;
        const row = document.createElement("li"), time = document.createElement("time"), level = document.createElement("b"), who = document.createElement("span"), text = document.createElement("pre");
        row.className = line.level; time.textContent = TIME.format(new Date(line.at)); time.dateTime = line.at;
        level.textContent = line.level; who.textContent = line.logger; text.textContent = line.text;
        row.append(time, level, who, text); this.list.append(row);
      }
      while (this.list.children.length > MOST) this.list.firstChild.remove();
      if (lines.length) this.say("Live.");
      if (follows) this.list.scrollTop = this.list.scrollHeight;
    }
  });

  // Who moves where on the ground: metres, the first axis to the right, the second upwards.
  const SVG = "http://www.w3.org/2000/svg", STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
  function drawn(name, attributes, text) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }
  customElements.define("diat-map", class extends HTMLElement {
    async connectedCallback() {
      this.path = this.getAttribute("path"); this.edge = null;
      this.picture = drawn("svg", {role: "img"}); this.told = document.createElement("p");
      this.told.className = "soft"; this.told.setAttribute("role", "status"); this.replaceChildren(this.picture, this.told);
      this.source = new EventSource(`${this.path}/observe`);
      this.source.onmessage = event => this.show(JSON.parse(event.data));
      this.source.addEventListener("ended", event => { this.source.close(); this.told.textContent = JSON.parse(event.data).reason; });
      const answer = await fetch(this.path);
      if (answer.ok && !this.edge) this.show(await answer.json());
      else if (!answer.ok) this.told.textContent = "Nothing is known yet.";
    }
    disconnectedCallback() { this.source?.close(); }
    show(all) {
      if (!Array.isArray(all)) return;
      this.fit(all);
      const [left, low, right, high] = this.edge, wide = right - left, tall = high - low, size = Math.max(wide, tall) / 100;
      this.picture.setAttribute("viewBox", `${left} ${-high} ${wide} ${tall}`);
      const step = STEPS.find(each => each * 12 >= Math.max(wide, tall)) ?? 1000, parts = [];
      for (let x = Math.ceil(left / step) * step; x <= right; x += step) parts.push(drawn("path", {d: `M${x} ${-high}V${-low}`, class: "grid"}));
      for (let y = Math.ceil(low / step) * step; y <= high; y += step) parts.push(drawn("path", {d: `M${left} ${-y}H${right}`, class: "grid"}));
      for (const each of all) {
        if (!Number.isFinite(each.x) || !Number.isFinite(each.y)) continue;
        const mark = drawn("g", {transform: `translate(${each.x} ${-each.y})`});
        if (Number.isFinite(each.heading)) mark.append(drawn("path", {d: `M0 0H${size * 4}`, class: "heading", transform: `rotate(${-each.heading})`, "stroke-width": size / 2}));
        mark.append(drawn("circle", {r: size * 1.4, class: "mover", ...(/^[0-9a-f]{6}$/.test(each.colour) ? {fill: `#${each.colour}`} : {})}));
        mark.append(drawn("text", {x: size * 2, y: -size * 1.8, "font-size": size * 2.6}, String(each.id)));
        mark.append(drawn("title", {}, `${each.id}: ${each.speed ?? "?"} m/s, within ${each.within ?? "?"} m, seen by ${(each.by ?? []).join(", ")}`));
        parts.push(mark);
      }
      this.picture.replaceChildren(...parts);
      this.told.textContent = `${all.length === 1 ? "One is" : all.length ? `${all.length} are` : "Nobody is"} on the map; a square is ${step} m wide.`;
      this.picture.setAttribute("aria-label", this.told.textContent);
    }
    // The edge only grows, so that nothing jumps.
    fit(all) {
      const points = all.filter(each => Number.isFinite(each.x) && Number.isFinite(each.y));
      const [left, low, right, high] = this.edge ?? [Infinity, Infinity, -Infinity, -Infinity];
      if (!points.length) { this.edge ??= [0, 0, 20, 10]; return; }
      const xs = points.map(each => each.x), ys = points.map(each => each.y), room = 5;
      this.edge = [Math.min(left, Math.min(...xs) - room), Math.min(low, Math.min(...ys) - room), Math.max(right, Math.max(...xs) + room), Math.max(high, Math.max(...ys) + room)];
    }
  });

  document.addEventListener("click", async event => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    const secret = button.closest(".secret").querySelector("[data-secret]");
    try {
      await navigator.clipboard.writeText(secret.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(secret); button.textContent = "Marked: copy it by the keyboard";
    }
  });
})();
