// The demo store to pictures: `npm run screenshots -- DIR` makes every view at three widths, light and dark,
// `npm run screenshots -- --readme` the few small ones of the README.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { browse, demo, open, serve, whole } from "./scene.mjs";
import { VIEWS } from "./views.mjs";

const README = {
  overview: { path: "/?range=all", dark: false },
  repo: { path: "/repo/model/acme/llama-7b?range=all", dark: true },
};
const [width, height] = [1080, 660];

async function ofReadme(browser, origin) {
  const into = fileURLToPath(new URL("../../cli/docs/images/", import.meta.url));
  mkdirSync(into, { recursive: true });
  for (const [name, { path, dark }] of Object.entries(README)) {
    const page = await open(browser, path, { width, dark, origin });
    await page.screenshot({ path: join(into, `${name}.png`), clip: { x: 0, y: 0, width, height } });
    await page.close();
  }
}

async function ofViews(browser, origin, into) {
  mkdirSync(into, { recursive: true });
  for (const [name, path] of Object.entries(VIEWS)) {
    for (const width of [360, 800, 1400]) {
      for (const dark of [false, true]) {
        const page = await open(browser, path, { width, dark, origin });
        await whole(page);
        const file = join(into, `${name}-${width}${dark ? "-dark" : ""}.png`);
        await page.screenshot({ path: file, fullPage: true });
        await page.close();
      }
    }
  }
}

const server = await serve(demo());
const browser = await browse();
try {
  const [into = "screenshots"] = process.argv.slice(2);
  await (into === "--readme" ? ofReadme(browser, server.origin) : ofViews(browser, server.origin, into));
} finally {
  await browser.close();
  server.end();
}
