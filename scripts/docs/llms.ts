import { readFileSync } from "node:fs";
import { join } from "node:path";
import { markdownPages } from "./pages.ts";

/** The page that {@link llmsText} writes, in the form of llmstxt.org. */
export const LLMS_PAGE = "infra/docs/llms.txt";

/** The sections, each with what its pages begin with; the first that fits takes a page. */
const SECTIONS: readonly (readonly [title: string, starts: readonly string[]])[] = [
  ["Start", ["README.md", "runtime/README.md", "infra/docs/README.md", "infra/docs/tour.md", "CONTRIBUTING.md"]],
  ["How to", ["infra/docs/how-to/"]],
  ["Decisions", ["infra/docs/adr/"]],
  ["Runbooks", ["infra/docs/runbooks/"]],
  ["Concepts and reference", ["infra/docs/", "runtime/"]],
  ["Products", ["actors/", "workflows/"]],
  ["Other", [""]],
];

/** All pages with what each is about, for programs that read: links are relative to the page's own folder. */
export function llmsText(root: string): string {
  const sections = new Map<string, string[]>(SECTIONS.map(([title]) => [title, []]));
  for (const page of markdownPages(root)) {
    const [title] = SECTIONS.find(([, starts]) => starts.some((start) => page.startsWith(start))) ?? ["Other"];
    const { name, about } = summaryOf(readFileSync(join(root, page), "utf8"), page);
    sections.get(title)?.push(`- [${name}](${linkTo(page)}): ${about}`);
  }
  const lists = [...sections].filter(([, lines]) => lines.length > 0);
  return `${[
    "# Troupe",
    "",
    "> An actor runtime for Bun in TypeScript on PostgreSQL, with a shop, an event gateway and a container orchestrator built on it.",
    "",
    "Made from the pages by `bun scripts/docs/main.ts --write`. The first lines of each source file say what it owns and what it keeps to.",
    ...lists.flatMap(([title, lines]) => ["", `## ${title}`, "", ...lines]),
  ].join("\n")}\n`;
}

function linkTo(page: string): string {
  return page.startsWith("infra/docs/") ? page.slice("infra/docs/".length) : `../../${page}`;
}

/** The first heading of a page, and its first sentence as plain text. */
function summaryOf(markdown: string, page: string): { readonly name: string; readonly about: string } {
  const name = /^# (.*)$/mu.exec(markdown)?.[1];
  const paragraphs = markdown.split(/\n{2,}/u).map((paragraph) => paragraph.trim());
  const prose = paragraphs.find((paragraph) => paragraph !== "" && !/^(?:#|```|\||- |<|>|\d\.)/u.test(paragraph));
  if (name === undefined || prose === undefined)
    throw new Error(`Cannot say what ${page} is about: expected a heading and a paragraph`);
  const text = prose
    .replaceAll("\n", " ")
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/gu, "$1")
    .replaceAll(/[*_`]/gu, "");
  return { name: name.replaceAll("`", ""), about: /^.*?[.!?](?=\s|$)/u.exec(text)?.[0] ?? text };
}
