import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";

setDefaultTimeout(60_000);

const files = [...new Bun.Glob("*.ts").scanSync({ cwd: import.meta.dir })].filter((name) => /^\d/u.test(name)).sort();

/** The comment at the end of an example: what it prints, to the letter. */
function promised(source: string): string {
  const [, comment = ""] = /\/\* Prints:\n([^]*?) \*\/\n$/u.exec(source) ?? [];
  return comment.replaceAll(/^ \* ?/gmu, "");
}

test("there are ten examples, numbered from 1 without a gap", () => {
  expect(files.map((name) => name.slice(0, 3))).toEqual([
    "01-",
    "02-",
    "03-",
    "04-",
    "05-",
    "06-",
    "07-",
    "08-",
    "09-",
    "10-",
  ]);
});

test.each(files)("the example %s ends by itself and prints what its last comment says", async (name) => {
  const path = join(import.meta.dir, name);
  const source = await Bun.file(path).text();
  expect(source).toContain(` * Run it:  bun runtime/examples/${name}\n`);
  const child = Bun.spawn([process.execPath, path], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [printed, errors, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  expect(errors).toBe("");
  expect(printed).toBe(promised(source));
  expect(code).toBe(0);
});
