import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { readConfigFile } from "../app/config-file.ts";
import { readSettings } from "../app/settings.ts";
import { markdownPages } from "./pages.ts";

const ROOT = resolve(import.meta.dir, "../..");
const page = readFileSync(join(ROOT, "infra/docs/how-to/deploy-one-host.md"), "utf8");

/** A file of the page, by the path in its first line. */
function fileOf(path: string): string {
  const [, text] = new RegExp(`^\`\`\`(?:ini|yaml)\\n# ${path}\\n([^]*?)^\`\`\`$`, "mu").exec(page) ?? [];
  if (text === undefined) throw new Error(`Cannot find ${path} on the page`);
  return text;
}

test("the settings of the page on one host are settings that the app starts with", () => {
  const lines = fileOf("/etc/troupe/secrets.env").trim().split("\n");
  const environment = Object.fromEntries(lines.map((line) => line.split(/=(.*)/su).slice(0, 2) as [string, string]));
  const file = readConfigFile(fileOf("/etc/troupe/troupe.yaml"));
  if ("errors" in file) throw new Error(file.errors.join("\n"));
  const settings = readSettings(environment, file.values);
  expect(settings).toMatchObject({ HOST: "0.0.0.0", PORT: 443, TROUPE_AUTH: "on", API_RATE_LIMIT: 100 });
  expect(environment["TROUPE_CONFIG"]).toBe("/etc/troupe/troupe.yaml");
});

test("the unit of the page on one host starts what is there", () => {
  const unit = fileOf("/etc/systemd/system/troupe.service");
  const [, program = ""] = /^ExecStart=\/usr\/local\/bin\/bun (\S+)$/mu.exec(unit) ?? [];
  expect(existsSync(join(ROOT, program))).toBe(true);
  expect(unit).toContain("EnvironmentFile=/etc/troupe/secrets.env\n");
});

test("every command of every page names a script that is there", () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: object };
  // The page of a new project speaks of that one's commands, which its own test runs.
  const pages = markdownPages(ROOT).filter((path) => !path.startsWith("scripts/create/template/"));
  const lost = pages.flatMap((path) => {
    const text = readFileSync(join(ROOT, path), "utf8");
    const named = [...text.matchAll(/\bbun run ([a-z][a-z-]*)\b(?!\.)/gu)].map(([, name = ""]) => name);
    const files = [...text.matchAll(/\bbun ((?:runtime|scripts|infra)\/[\w./-]+\.ts)\b/gu)].map(
      ([, file = ""]) => file,
    );
    return [
      ...named.filter((name) => !(name in scripts)).map((name) => `${path}: bun run ${name}`),
      ...files.filter((file) => !existsSync(join(ROOT, file))).map((file) => `${path}: bun ${file}`),
    ];
  });
  expect(lost).toEqual([]);
});
