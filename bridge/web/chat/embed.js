// Puts the chat into a site:  <script src="https://bridge.example/chat/NAME/embed.js" async></script>
// Optional: data-title (of the button), data-session (the chat's id), data-side ("left"), data-accent ("#1f5eff"),
// data-open. The site must stand in the setting `origins` of the chat. What is drawn here has a shadow tree of its
// own, so that neither the site's styles nor these reach the other.
(() => {
  const script = document.currentScript;
  const { title = "Chat", session, side, accent, open: opensAtOnce } = script.dataset;
  const page = new URL(script.src.replace(/\/embed\.js([?#].*)?$/, ""));
  page.searchParams.set("embedded", "1");
  if (session) page.searchParams.set("session", session);

  const STYLE = `
    :host { all: initial; }
    button { position: fixed; inset-block-end: 20px; inset-inline-end: 20px; z-index: 2147483000;
      width: 56px; height: 56px; border: 0; border-radius: 50%; background: var(--accent, #0e5a6b); color: #fff; cursor: pointer;
      box-shadow: 0 1px 2px rgb(0 0 0 / .2), 0 8px 24px rgb(0 0 0 / .22); transition: transform .16s ease; }
    button:hover { transform: translateY(-2px); }
    button:focus-visible { outline: 3px solid #fff; box-shadow: 0 0 0 6px var(--accent, #0e5a6b); }
    svg { width: 26px; height: 26px; fill: none; stroke: currentColor; stroke-width: 1.8;
      stroke-linecap: round; stroke-linejoin: round; }
    b { position: absolute; inset-block-start: -4px; inset-inline-end: -4px; min-width: 20px; padding: 0 6px;
      box-sizing: border-box; border-radius: 10px; background: #d92d20; color: #fff; font: 600 12px/20px system-ui, sans-serif; }
    b:empty { display: none; }
    iframe { position: fixed; inset-block-end: 88px; inset-inline-end: 20px; z-index: 2147483001; width: 400px;
      max-width: calc(100vw - 40px); height: min(680px, calc(100dvh - 108px)); border: 0; border-radius: 18px;
      background: Canvas; color-scheme: light dark; box-shadow: 0 2px 6px rgb(0 0 0 / .12), 0 18px 60px rgb(0 0 0 / .28); }
    iframe[hidden] { display: none; }
    .left button, .left iframe { inset-inline: 20px auto; }
    @media (max-width: 480px) {
      iframe { inset: 0; width: 100vw; max-width: none; height: 100dvh; border-radius: 0; }
      .left iframe { inset: 0; }
    }
    @media (prefers-reduced-motion: reduce) { button { transition: none; } }
  `;

  const SVG = "http://www.w3.org/2000/svg";
  const PATH =
    "M5 8.5A3.5 3.5 0 0 1 8.5 5h7A3.5 3.5 0 0 1 19 8.5v4a3.5 3.5 0 0 1-3.5 3.5H11l-4.5 3.5v-3.9A3.5 3.5 0 0 1 5 12.5z";

  function start() {
    const host = document.createElement("moveo-bridge-chat");
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    if (accent) host.style.setProperty("--accent", accent);

    const box = document.createElement("div");
    box.className = side === "left" ? "left" : "";
    const launcher = document.createElement("button");
    launcher.type = "button";
    launcher.setAttribute("aria-label", title);
    launcher.setAttribute("aria-expanded", "false");
    launcher.title = title;
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", PATH);
    svg.append(path);
    const badge = document.createElement("b");
    launcher.append(svg, badge);
    box.append(launcher);
    root.append(box);
    document.body.append(host);

    let frame = null;

    function tell() {
      frame.contentWindow?.postMessage({ "moveo-bridge": { open: !frame.hidden } }, page.origin);
    }

    function toggle(open) {
      if (!frame) {
        // Nothing is loaded until somebody wants to chat.
        frame = document.createElement("iframe");
        frame.src = page.href;
        frame.title = title;
        frame.addEventListener("load", tell);
        box.append(frame);
      }
      frame.hidden = !open;
      launcher.setAttribute("aria-expanded", String(open));
      tell();
      if (!open) launcher.focus();
    }

    launcher.addEventListener("click", () => toggle(!frame || frame.hidden));
    window.addEventListener("message", (event) => {
      if (!frame || event.source !== frame.contentWindow || event.origin !== page.origin) return;
      const message = event.data?.["moveo-bridge"];
      if (message?.close) toggle(false);
      if (typeof message?.unseen === "number")
        badge.textContent = message.unseen ? String(message.unseen) : "";
    });
    if (opensAtOnce !== undefined) toggle(true);
  }

  if (document.body) start();
  else document.addEventListener("DOMContentLoaded", start);
})();
