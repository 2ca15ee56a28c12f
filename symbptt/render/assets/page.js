"use strict";
(() => {
  const MARKS = ".verified, .refuted";

  function mathml(figure) {
    const math = figure.querySelector("math").cloneNode(true);
    math.querySelectorAll(MARKS).forEach((mark) => mark.remove());
    return new XMLSerializer().serializeToString(math);
  }

  function copyByHand(text) {
    const area = document.createElement("textarea");
    area.value = text;
    area.style.cssText = "position: fixed; top: 0; opacity: 0";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return copyByHand(text);
    }
  }

  // A box that scrolls must be reached by keyboard, one that does not is only in the way.
  const boxes = new ResizeObserver((entries) => entries.forEach(({ target }) => {
    if (target.scrollWidth > target.clientWidth + 1) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }));
  document.querySelectorAll(".formula, .math-wrapper").forEach((box) => boxes.observe(box));
  document.querySelectorAll(".tools").forEach((tools) => { tools.hidden = false; });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button || button.dataset.was) return;
    const figure = button.closest("figure");
    const done = await copy(button.dataset.copy === "tex" ? figure.dataset.tex : mathml(figure));
    button.focus();
    button.dataset.was = button.textContent;
    button.textContent = done ? "✓" : "✗";
    setTimeout(() => { button.textContent = button.dataset.was; delete button.dataset.was; }, 1200);
  });

  function open(element) {
    for (let fold = element?.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  }

  const target = () => open(document.getElementById(decodeURIComponent(location.hash.slice(1))));
  addEventListener("hashchange", target);
  target();
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
})();
