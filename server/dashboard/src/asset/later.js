// Panels that take longer than a page waits for: each is asked for when it comes near the window, one after the
// other, and put where its link stood. What was shown before stays until then, so that nothing jumps.

const NEAR = "400px";
let queue = Promise.resolve();

async function load(section, done) {
  if (!section.isConnected) return;
  const answer = await fetch(section.dataset.later, { headers: { accept: "text/html" } }).catch(() => null);
  if (!section.isConnected) return;
  if (!answer?.ok) { section.removeAttribute("aria-busy"); return; }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById(section.id);
  if (!fresh) { section.remove(); return; }
  section.replaceWith(fresh);
  done(fresh);
}

const near = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    queue = queue.then(() => load(target, target.done));
  }
}, { rootMargin: NEAR });

/** Waits for the panels of `root` that come later; `done` is called with each that came. */
export function later(root, done) {
  for (const section of root.querySelectorAll("[data-later]")) {
    section.done = done;
    section.setAttribute("aria-busy", "true");
    near.observe(section);
  }
}

/** Puts what was shown of such panels into a page that still waits for them. */
export function keep(before, fresh) {
  for (const section of fresh.querySelectorAll("[data-later]")) {
    const shown = [...before.querySelectorAll("section")].find(({ id }) => id === section.id);
    if (shown && !shown.dataset.later) section.replaceChildren(...shown.childNodes);
  }
}
