/**
 * The files of Python's package index without pip, by its simple API (PEP 503, 691). The index is the one pip is configured for: the
 * environment, then the user's file, then the machine's, then the public one.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const PUBLIC_INDEX = "https://pypi.org/simple";
const LIST_BYTES = 20_000_000;
const ANSWER_MS = 20_000;
const STALLED_MS = 30_000;
/** The answer to a range that begins where the file ends. */
const RANGE_ENDED = 416;
const ATTEMPTS = 4;
const PAUSE_MS = 500;

/** The index's address without a slash at its end. */
export function indexUrl(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const named = env["PIP_INDEX_URL"] || configured(env);
  return (named || PUBLIC_INDEX).replace(/\/+$/, "");
}

function configured(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const files = [
    env["PIP_CONFIG_FILE"],
    join(homedir(), ".config", "pip", "pip.conf"),
    join(homedir(), ".pip", "pip.conf"),
    join(homedir(), "Library", "Application Support", "pip", "pip.conf"),
    "/etc/pip.conf",
  ];
  for (const file of files) {
    if (file === undefined || !existsSync(file)) continue;
    const found = /^\s*index-url\s*=\s*(\S+)/m.exec(readFileSync(file, "utf8"))?.[1];
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Downloads a file of a project to `target`. A broken transfer goes on where it stopped, a few times; the bytes are not checked here.
 * Throws when the index does not have the file or does not answer, without naming the index, whose address may hold a password.
 */
export async function downloadFromIndex(
  project: string,
  file: string,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const index = indexUrl();
  const url = await attempt(() => locate(index, project, file, signal), signal);
  await attempt(() => transfer(url, target, signal), signal);
}

async function locate(index: string, project: string, file: string, signal: AbortSignal): Promise<string> {
  const page = new URL(`${index}/${project}/`);
  const response = await request(page, { accept: "application/vnd.pypi.simple.v1+json, text/html;q=0.2" }, signal);
  if (Number(response.headers.get("content-length") ?? 0) > LIST_BYTES) throw new Refused("its list is too large");
  const text = await response.text();
  const href =
    response.headers.get("content-type")?.includes("json") === true ? inJson(text, file) : inHtml(text, file);
  if (href === undefined) throw new Refused(`it has no ${file}`);
  const url = new URL(href, page);
  url.username ||= page.username;
  url.password ||= page.password;
  url.hash = "";
  return url.href;
}

function inJson(text: string, file: string): string | undefined {
  const list = JSON.parse(text) as { files?: { filename?: string; url?: string }[] };
  return list.files?.find((each) => each.filename === file)?.url;
}

function inHtml(text: string, file: string): string | undefined {
  for (const [, href = "", name = ""] of text.matchAll(/<a\s[^>]*href="([^"]+)"[^>]*>([^<]*)<\/a>/gi))
    if (name.trim() === file) return href.replaceAll("&amp;", "&");
  return undefined;
}

async function transfer(url: string, target: string, signal: AbortSignal): Promise<void> {
  const have = existsSync(target) ? statSync(target).size : 0;
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(new Error("it sends nothing any more")), STALLED_MS);
  const either = AbortSignal.any([signal, stalled.signal]);
  try {
    const response = await request(new URL(url), have === 0 ? {} : { range: `bytes=${have}-` }, either, RANGE_ENDED);
    // All of it was here already.
    if (response.status === RANGE_ENDED) return;
    if (response.body === null) throw new Error("it sent nothing");
    // A server without ranges sends the whole file again.
    const file = await open(target, response.status === 206 ? "a" : "w");
    try {
      // Each chunk at once: what is there when it breaks is what the next attempt need not ask for.
      for await (const chunk of response.body) {
        await file.write(chunk);
        timer.refresh();
      }
    } finally {
      await file.close();
    }
  } finally {
    clearTimeout(timer);
  }
}

/** An answer that another try would not change. */
class Refused extends Error {
  override readonly name = "Refused";
}

async function request(
  url: URL,
  headers: Record<string, string>,
  signal: AbortSignal,
  alsoFine?: number,
): Promise<Response> {
  const { username, password } = url;
  const bare = new URL(url);
  bare.username = "";
  bare.password = "";
  const login =
    username === ""
      ? {}
      : { authorization: `Basic ${btoa(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)}` };
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error("it did not answer")), ANSWER_MS);
  try {
    const response = await fetch(bare, {
      headers: { ...headers, ...login },
      signal: AbortSignal.any([signal, late.signal]),
      ...certificates(),
    });
    if (response.ok || response.status === alsoFine) return response;
    const reason = `it answered ${response.status}`;
    throw response.status >= 500 || response.status === 429 ? new Error(reason) : new Refused(reason);
  } finally {
    clearTimeout(timer);
  }
}

/** What pip is told to trust. */
function certificates(): object {
  const file = process.env["PIP_CERT"] ?? process.env["SSL_CERT_FILE"];
  return file === undefined || !existsSync(file) ? {} : { tls: { ca: Bun.file(file) } };
}

async function attempt<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let left = ATTEMPTS - 1; ; left--) {
    try {
      return await work();
    } catch (error) {
      if (left === 0 || signal.aborted || error instanceof Refused) throw error;
      await delay(PAUSE_MS, undefined, { signal });
    }
  }
}
