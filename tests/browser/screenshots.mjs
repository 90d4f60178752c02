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
const WINDOW = { width: 1280, height: 900, deviceScaleFactor: 0.66 };

async function ofReadme(browser, origin) {
  const into = fileURLToPath(new URL("../../cli/docs/images/", import.meta.url));
  mkdirSync(into, { recursive: true });
  for (const [name, { path, dark }] of Object.entries(README)) {
    const page = await open(browser, path, { dark, origin });
    await page.setViewport(WINDOW);
    await page.screenshot({ path: join(into, `${name}.png`) });
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
