"use strict";
(() => {
  const refuted = [...document.querySelectorAll("details.claim.refuted")];

  function show(details) {
    if (!details) return;
    details.open = true;
    details.scrollIntoView({ block: "center" });
    details.querySelector("summary").focus({ preventScroll: true });
  }

  function linked() {
    const found = location.hash && document.getElementById(location.hash.slice(1));
    if (found && found.matches("details")) show(found);
  }

  // What a link leads to is opened; n and p step through what is refuted.
  window.addEventListener("hashchange", linked);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, textarea")) return;
    const step = { n: 1, p: -1 }[event.key];
    if (!step || !refuted.length) return;
    const at = refuted.indexOf(document.activeElement?.closest("details.claim.refuted"));
    const next = at < 0 ? (step > 0 ? 0 : refuted.length - 1) : (at + step + refuted.length) % refuted.length;
    show(refuted[next]);
  });
  // A box that scrolls must be reached by keyboard, one that does not is only in the way.
  const boxes = new ResizeObserver((entries) => entries.forEach(({ target }) => {
    if (target.scrollWidth > target.clientWidth + 1) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }));
  document.querySelectorAll(".formula, .why > div").forEach((box) => boxes.observe(box));
  linked();
})();
