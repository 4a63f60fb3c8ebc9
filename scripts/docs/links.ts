import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";

/** A link of a page that leads nowhere. */
export interface LostLink {
  readonly page: string;
  readonly line: number;
  readonly target: string;
}

/**
 * The links of Markdown pages that lead to no file of the checkout, or to no heading of a page. Links to other hosts are
 * not followed: a test must not fail for what others do.
 * @param pages paths from `root`.
 */
export function lostLinks(root: string, pages: readonly string[]): LostLink[] {
  const headings = new Map<string, ReadonlySet<string>>();
  const headingsOf = (page: string): ReadonlySet<string> => {
    const known = headings.get(page) ?? anchorsOf(readFileSync(join(root, page), "utf8"));
    headings.set(page, known);
    return known;
  };
  return pages.flatMap((page) =>
    linksOf(readFileSync(join(root, page), "utf8")).flatMap(({ target, line }) => {
      if (/^[a-z]+:/u.test(target)) return [];
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? page : normalize(join(dirname(page), decodeURI(path)));
      const found =
        isWithin(root, file) && existsSync(join(root, file)) && (anchor === undefined || leads(file, anchor));
      return found ? [] : [{ page, line, target }];
    }),
  );

  function leads(file: string, anchor: string): boolean {
    if (!file.endsWith(".md") || statSync(join(root, file)).isDirectory()) return false;
    return headingsOf(file).has(anchor);
  }
}

/** Files of the checkout that pages name in code by their path (`runtime/relay/relay.ts`) and that are not there. */
export function lostFiles(root: string, pages: readonly string[]): LostLink[] {
  return pages.flatMap((page) =>
    readFileSync(join(root, page), "utf8")
      .split("\n")
      .flatMap((text, index) =>
        [...text.matchAll(/`((?:runtime|infra|actors|workflows|scripts)\/[\w./-]+\.[a-z]+)`/gu)]
          .map(([, target = ""]) => ({ page, line: index + 1, target }))
          .filter(({ target }) => !existsSync(join(root, target))),
      ),
  );
}

function isWithin(root: string, file: string): boolean {
  return !relative(root, join(root, file)).startsWith("..");
}

/** The text of a page without its code, line by line. */
function prose(markdown: string): string[] {
  let fence: string | undefined;
  return markdown.split("\n").map((line) => {
    const [, mark] = /^\s*(`{3,}|~{3,})/u.exec(line) ?? [];
    if (mark !== undefined && (fence === undefined || mark.startsWith(fence))) {
      fence = fence === undefined ? mark : undefined;
      return "";
    }
    return fence === undefined ? line : "";
  });
}

/** The targets of a page's links, `[text](target)` and `[name]: target`, with their lines. */
function linksOf(markdown: string): { readonly target: string; readonly line: number }[] {
  return prose(markdown).flatMap((text, index) => {
    const shown = text.replaceAll(/`[^`]*`/gu, (code) => "·".repeat(code.length));
    const inline = [...shown.matchAll(/\]\(\s*<?([^\s)>]+)>?(?:\s+"[^"]*")?\s*\)/gu)];
    const named = [...shown.matchAll(/^\[[^\]]+\]:\s*<?([^\s>]+)>?/gu)];
    return [...inline, ...named].map(([, target = ""]) => ({ target, line: index + 1 }));
  });
}

/** What a link may name in a page: its headings, as GitHub names them. */
export function anchorsOf(markdown: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  for (const line of prose(markdown)) {
    const [, heading] = /^#{1,6}\s+(.*?)\s*#*$/u.exec(line) ?? [];
    if (heading === undefined) continue;
    const name = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/gu, "$1")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}\s_-]/gu, "")
      .replaceAll(/\s/gu, "-");
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    anchors.add(count === 0 ? name : `${name}-${count}`);
  }
  return anchors;
}
