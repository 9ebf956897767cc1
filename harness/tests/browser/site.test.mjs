// Tests of the site of the documentation in a real browser. ci/browser builds the site; main.rs runs this with node --test.
import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join, relative } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const { PAGES, DOCS, MODULES, CHROMIUM } = process.env;
const require = createRequire(join(MODULES, "package.json"));
const { chromium } = require("playwright-core");

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png", ".woff2": "font/woff2" };

// A server of files as any static host is one; a browser gives a page of file:// fewer rights.
const server = createServer((request, response) => {
  const path = join(PAGES, decodeURIComponent(new URL(request.url, "http://site").pathname).replace(/\/$/, "/index.html"));
  try {
    response.setHeader("content-type", TYPES[extname(path)] ?? "application/octet-stream");
    response.end(readFileSync(path));
  } catch {
    response.statusCode = 404;
    response.end();
  }
});

let browser;
let base;
before(async () => {
  browser = await chromium.launch({ executablePath: CHROMIUM });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  base = `http://127.0.0.1:${server.address().port}/`;
});
after(async () => {
  await browser?.close();
  server.close();
});

// The files below a folder, relative to it.
function files(folder, from = folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? files(path, from) : [relative(from, path)];
  });
}

const pages = new Map(
  files(PAGES)
    .filter((path) => path.endsWith(".html"))
    .map((path) => [path, readFileSync(join(PAGES, path), "utf8")]),
);

const unescaped = (text) => text.replaceAll("&amp;", "&").replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&lt;", "<").replaceAll("&gt;", ">");
const attributes = (html, name) => [...html.matchAll(new RegExp(`\\s${name}="([^"]*)"`, "g"))].map((match) => unescaped(match[1]));

// The page of a Markdown file.
const pageOf = (path) => path.replace(/(^|\/)README\.md$/, "$1index.md").replace(/\.md$/, ".html");

test("every page of the documentation is in the site", () => {
  const wanted = files(DOCS).filter((path) => path.endsWith(".md") && path !== "SUMMARY.md").map(pageOf);
  assert.ok(wanted.length > 50, `${wanted.length} pages`);
  assert.deepEqual(wanted.filter((path) => !pages.has(path)), []);
});

test("every link leads to a file and an anchor", () => {
  const ids = new Map([...pages].map(([path, html]) => [path, new Set(attributes(html, "id"))]));
  const broken = [];
  let local = 0;
  let outside = 0;
  for (const [path, html] of pages) {
    // What is not found is shown at any address, so its links are absolute.
    if (path === "404.html") continue;
    for (const link of [...attributes(html, "href"), ...attributes(html, "src")]) {
      const url = new URL(link, `http://site/${path}`);
      if (url.protocol === "file:") {
        // A file of the checkout, where REPOSITORY_URL is not set.
        outside += 1;
        if (!statSync(fileURLToPath(url), { throwIfNoEntry: false })) broken.push(`${path}: ${link}`);
      } else if (url.host === "site") {
        local += 1;
        const target = decodeURIComponent(url.pathname.slice(1)).replace(/(^|\/)$/, "$1index.html");
        const anchor = decodeURIComponent(url.hash.slice(1));
        const found = statSync(join(PAGES, target), { throwIfNoEntry: false });
        if (!found?.isFile() || (anchor && !ids.get(target)?.has(anchor))) broken.push(`${path}: ${link}`);
      }
    }
  }
  assert.deepEqual(broken, []);
  assert.ok(local > 1000 && outside > 50, `${local} links in the site, ${outside} out of it`);
});

// Opens a page of the site that must not complain, load anything from elsewhere, or miss a file.
async function on(path, check) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  const problems = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith(base)) problems.push(`request of ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) problems.push(`${response.status()} for ${response.url()}`);
  });
  try {
    await page.goto(base + path);
    await check(page);
    assert.deepEqual(problems, []);
  } finally {
    await context.close();
  }
}

test("the first page leads to every other", async () => {
  await on("", async (page) => {
    const links = await page.locator("nav a[href]").evaluateAll((links) => links.map((link) => link.href));
    const reached = new Set(links.map((link) => link.slice(base.length).split("#")[0].replace(/(^|\/)$/, "$1index.html")));
    const wanted = files(DOCS).filter((path) => path.endsWith(".md") && path !== "SUMMARY.md").map(pageOf);
    assert.deepEqual(wanted.filter((path) => !reached.has(path)), []);
  });
});

for (const [words, result, heading] of [
  ["trailing ampersand", /trailing-ampersand/, "trailing-ampersand"],
  ["CAP_SYS_RESOURCE", /Environment|limitations/i, "Environment"],
  ["rehearse an upgrade", /Rehearse/, "Rehearse an upgrade"],
]) {
  test(`search finds "${words}"`, async () => {
    await on("", async (page) => {
      await page.getByRole("button", { name: /search/i }).click();
      await page.keyboard.type(words);
      const results = page.locator("#mdbook-searchresults a, #searchresults a");
      const wanted = results.filter({ hasText: result }).first();
      await wanted.click();
      await page.getByRole("heading", { level: 1, name: heading }).first().waitFor();
      assert.notEqual(page.url().split(/[?#]/)[0], base);
    });
  });
}

test("search says that nothing was found", async () => {
  await on("", async (page) => {
    await page.keyboard.press("s");
    await page.keyboard.type("zzyzx");
    await page.getByText(/No search results/).waitFor();
  });
});

test("a long page opens at an anchor", async () => {
  await on("reference/support.html#exit-codes", async (page) => {
    const heading = page.locator("#exit-codes");
    const top = await heading.evaluate((element) => element.getBoundingClientRect().top);
    assert.ok(top >= -5 && top < 300, `${top}`);
  });
});
