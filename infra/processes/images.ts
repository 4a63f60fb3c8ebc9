import { createHash } from "node:crypto";
import { cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ImageBuild } from "../engines/engine.ts";
import { EngineError } from "../engines/errors.ts";

/** What a process host runs: files below `root`, and which of them is started how. */
export interface Program {
  /** As in `sha256:3f2a…`: of the files and how they are started. */
  readonly id: string;
  /** Where the files are; a path of the image (`/echo`) is a path below it. */
  readonly root: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

type Recipe = Omit<Program, "id" | "root"> & { readonly copies: readonly (readonly [from: string, to: string])[] };

/**
 * The images of a process host: folders of files, built from a Dockerfile that copies them onto nothing
 * (`FROM scratch`, `COPY`, `ENV`, `ENTRYPOINT`, `CMD`). There is no registry.
 */
export class Programs {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** What a tag or an id stands for; `undefined` when it was never built here. */
  async find(reference: string): Promise<Program | undefined> {
    const id = reference.startsWith("sha256:") ? reference : (await this.#tags())[reference];
    if (id === undefined) return undefined;
    const root = this.#folder(id);
    const text = await readFile(join(root, "image.json"), "utf8").catch(() => undefined);
    return text === undefined ? undefined : { ...(JSON.parse(text) as Omit<Program, "id" | "root">), id, root };
  }

  /** @throws {EngineError} `refused`: the Dockerfile needs more than files that are copied. */
  async build({ tag, directory, files }: ImageBuild): Promise<void> {
    const dockerfile = await readFile(join(directory, "Dockerfile"), "utf8");
    const { copies, ...recipe } = recipeOf(tag, dockerfile);
    const hash = createHash("sha256").update(dockerfile);
    for (const [from] of copies) {
      if (!files.includes(from)) throw refused(tag, `it copies ${from}, which is not sent`);
      hash.update(await readFile(join(directory, from)));
    }
    const id = `sha256:${hash.digest("hex")}`;
    const draft = `${this.#folder(id)}.${process.pid}`;
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { recursive: true });
    for (const [from, to] of copies) await cp(join(directory, from), join(draft, to));
    await writeFile(join(draft, "image.json"), JSON.stringify(recipe));
    // Complete or not there: a program that runs keeps the files it was started from.
    await rename(draft, this.#folder(id)).catch(() => rm(draft, { recursive: true, force: true }));
    const tags = join(this.#directory, "tags.json");
    await writeFile(`${tags}.${process.pid}`, JSON.stringify({ ...(await this.#tags()), [tag]: id }));
    await rename(`${tags}.${process.pid}`, tags);
  }

  async #tags(): Promise<Record<string, string>> {
    const text = await readFile(join(this.#directory, "tags.json"), "utf8").catch(() => "{}");
    return JSON.parse(text) as Record<string, string>;
  }

  #folder(id: string): string {
    return join(this.#directory, "images", id.replace(/^sha256:/, "").replaceAll(/[^0-9a-f]/g, ""));
  }
}

function recipeOf(tag: string, dockerfile: string): Recipe {
  const copies: [string, string][] = [];
  const env: Record<string, string> = {};
  let entrypoint: readonly string[] = [];
  let command: readonly string[] = [];
  for (const line of dockerfile.split("\n").map((one) => one.trim())) {
    const [word = "", ...rest] = line.split(/\s+/);
    const text = rest.join(" ");
    switch (word.toUpperCase()) {
      case "":
      case "USER":
      case "EXPOSE":
        break;
      case "FROM":
        if (text !== "scratch") throw refused(tag, `it begins with ${text}`);
        break;
      case "COPY": {
        const [from, to] = rest;
        if (from === undefined || to === undefined || rest.length > 2 || from.includes(".."))
          throw refused(tag, `it has "${line}"`);
        copies.push([from, to.endsWith("/") ? to + from : to]);
        break;
      }
      case "ENV": {
        const at = text.indexOf("=");
        if (at < 1) throw refused(tag, `it has "${line}"`);
        env[text.slice(0, at)] = text.slice(at + 1);
        break;
      }
      case "ENTRYPOINT":
        entrypoint = wordsOf(tag, line, text);
        break;
      case "CMD":
        command = wordsOf(tag, line, text);
        break;
      default:
        if (!word.startsWith("#")) throw refused(tag, `it has "${line}"`);
    }
  }
  return { copies, env, entrypoint, command };
}

function wordsOf(tag: string, line: string, text: string): readonly string[] {
  try {
    return JSON.parse(text) as string[];
  } catch {
    throw refused(tag, `it has "${line}", and only the form with brackets needs no shell`);
  }
}

function refused(tag: string, why: string): EngineError {
  return new EngineError("refused", `Cannot build ${tag} for a process host as ${why}: only copied files can be run`);
}
