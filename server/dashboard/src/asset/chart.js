// A drawn line and the table beside it to reading with pointer and keys, and zooming by dragging.
// The drawing says where its plot begins and ends, the table what each point is; nothing is drawn anew.

export function enhance(figure, zoom) {
  const svg = figure.querySelector("svg.line");
  const rows = [...figure.querySelectorAll("table.series tbody tr")];
  const reading = figure.querySelector(".reading");
  if (!svg || rows.length === 0) return;
  const [left, right] = [Number(svg.dataset.left), Number(svg.dataset.right)];
  const plot = svg.querySelector(".plot");
  const cross = plot.querySelector(".cross");
  const width = plot.viewBox.baseVal.width;
  let at = rows.length - 1;
  let start = null;

  const label = (index) => rows[index].cells[0].textContent.trim();
  const share = (index) => left + ((right - left) * index) / Math.max(rows.length - 1, 1);
  const nearest = (event) => {
    const box = svg.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width;
    const index = Math.round(((x - left) / (right - left)) * (rows.length - 1));
    return Math.min(Math.max(index, 0), rows.length - 1);
  };

  function read(index) {
    at = index;
    const x = share(index) * width;
    cross.setAttribute("x1", x);
    cross.setAttribute("x2", x);
    cross.style.visibility = "visible";
    reading.textContent = `${label(index)}: ${rows[index].cells[1].textContent.trim()}`;
  }

  function leave() {
    cross.style.visibility = "hidden";
    start = null;
    svg.querySelector(".chosen")?.remove();
  }

  function choose(from, to) {
    let box = svg.querySelector(".chosen");
    if (!box) {
      box = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      box.setAttribute("class", "chosen");
      box.setAttribute("y", cross.getAttribute("y1"));
      box.setAttribute("height", cross.getAttribute("y2") - cross.getAttribute("y1"));
      plot.append(box);
    }
    const [a, b] = [share(Math.min(from, to)) * width, share(Math.max(from, to)) * width];
    box.setAttribute("x", a);
    box.setAttribute("width", b - a);
  }

  svg.tabIndex = 0;
  svg.addEventListener("pointermove", (event) => {
    read(nearest(event));
    if (start !== null) choose(start, at);
  });
  svg.addEventListener("pointerdown", (event) => { start = nearest(event); event.preventDefault(); svg.focus(); });
  svg.addEventListener("pointerup", (event) => {
    const [from, to] = [Math.min(start ?? at, nearest(event)), Math.max(start ?? at, nearest(event))];
    leave();
    const days = (text) => /^\d{4}-\d{2}-\d{2}$/.test(text);
    if (to > from && days(label(from)) && days(label(to))) zoom(label(from), label(to));
  });
  svg.addEventListener("pointerleave", leave);
  svg.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: rows.length - 1, PageUp: at - 7, PageDown: at + 7 };
    if (!(event.key in moves)) return;
    event.preventDefault();
    read(Math.min(Math.max(moves[event.key], 0), rows.length - 1));
  });
}
