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
