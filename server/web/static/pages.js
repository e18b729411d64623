// What the pages do beside links and forms. Without this script they work the same, only less quickly.
"use strict";

// One press sends a form once.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !form.classList.contains("once")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
});

// A page that comes back from the browser's own memory is whole again, but its forms may be sent anew.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// A picture that does not load says so in its place.
const sayBroken = (picture) => {
  const told = document.createElement("div");
  told.className = "no-photo";
  told.textContent = `照片打不开（${picture.alt || "照片"}），请稍后刷新页面再看`;
  picture.replaceWith(told);
};
document.addEventListener("error", (event) => {
  if (event.target instanceof HTMLImageElement) sayBroken(event.target);
}, true);
for (const picture of document.images) {
  if (picture.complete && picture.naturalWidth === 0 && picture.loading !== "lazy") sayBroken(picture);
}

// Keys: J and K walk through a list, letters open what is marked with them, ? tells them.
const isWriting = (target) => target instanceof HTMLElement && target.type !== "checkbox"
  && (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));

const walk = (by) => {
  const links = [...document.querySelectorAll("[data-keys='list'] .row-link")];
  if (!links.length) return false;
  const here = links.indexOf(document.activeElement);
  const next = here < 0 ? 0 : Math.min(links.length - 1, Math.max(0, here + by));
  links[next].focus();
  links[next].scrollIntoView({ block: "nearest" });
  return true;
};

const open = (key) => {
  const marked = document.querySelector(`[data-key='${CSS.escape(key)}']`);
  if (!marked) return false;
  if (!(marked instanceof HTMLDetailsElement)) {
    marked.click();
    return true;
  }
  for (const other of document.querySelectorAll("details[data-key]")) other.open = other === marked;
  const first = marked.querySelector("textarea, button");
  if (first) first.focus();
  return true;
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const help = document.getElementById("keys");
  if (event.key === "Escape") {
    for (const one of document.querySelectorAll("details[data-key][open]")) {
      one.open = false;
      one.querySelector("summary").focus();
    }
    return;
  }
  if (isWriting(event.target)) return;
  let done = false;
  if (event.key === "j") done = walk(1);
  else if (event.key === "k") done = walk(-1);
  else if (event.key === "?" && help) {
    help.showModal();
    done = true;
  } else if (event.key.length === 1) done = open(event.key.toLowerCase());
  if (done) event.preventDefault();
});

// A paper is printed by its button as by the browser's own menu.
document.addEventListener("click", (event) => {
  if (event.target instanceof Element && event.target.closest("[data-print]")) window.print();
});
