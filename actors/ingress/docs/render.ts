import { posix } from "node:path";
import MarkdownIt from "markdown-it";

/** A heading of a page, as what is linked to. */
export interface Heading {
  readonly id: string;
  readonly level: number;
  readonly text: string;
}

/** A page as HTML, with what is found in it. */
export interface Rendered {
  readonly title: string;
  readonly html: string;
  readonly headings: readonly Heading[];
  /** Its words, without marks. */
  readonly text: string;
}

/** HTML in a page is shown as it is written; links are those of the web, of mail and of our own. */
const markdown = new MarkdownIt({ html: false, linkify: false, typographer: false });

/**
 * Renders a page. Links to other pages of the folder lead to where they are served; those that leave the folder lead to
 * files of the checkout, which nobody serves: of them the text alone is left.
 *
 * @param path of the page below the folder, as in `runbooks/disk.md`.
 * @param root where the folder is served, as in `/docs`.
 */
export function renderPage(source: string, path: string, root: string): Rendered {
  const tokens = markdown.parse(source, {});
  const headings: Heading[] = [];
  const used = new Map<string, number>();
  const words: string[] = [];
  const left: boolean[] = [];
  tokens.forEach((token, i) => {
    if (token.type === "inline" || token.type === "fence") words.push(plain(token.content));
    if (token.type === "heading_open") {
      const text = plain(tokens[i + 1]?.content ?? "");
      const slug = slugOf(text);
      const before = used.get(slug) ?? 0;
      used.set(slug, before + 1);
      const id = before === 0 ? slug : `${slug}-${before}`;
      token.attrSet("id", id);
      headings.push({ id, level: Number(token.tag.slice(1)), text });
    }
    for (const child of token.children ?? []) {
      if (child.type === "link_open") {
        const href = hrefOf(String(child.attrGet("href") ?? ""), path, root);
        left.push(href === undefined);
        if (href === undefined) child.tag = "span";
        child.attrs =
          href === undefined
            ? []
            : [["href", href], ...(/^https?:/.test(href) ? [["rel", "noreferrer"] as [string, string]] : [])];
      }
      if (child.type === "link_close" && left.pop() === true) child.tag = "span";
    }
  });
  return {
    title: headings[0]?.text ?? path.replace(/\.md$/, ""),
    html: markdown.renderer.render(tokens, markdown.options, {}),
    headings,
    text: words.join("\n"),
  };
}

/** The address of a link; `undefined` where it leads out of the folder. */
function hrefOf(href: string, path: string, root: string): string | undefined {
  if (/^(?:[a-z]+:|#|\/)/.test(href)) return href.replace(/^http:\/\/localhost:3000(?=\/)/, "");
  const [file = "", anchor] = href.split("#");
  const target = posix.normalize(posix.join(posix.dirname(path), file));
  if (target.startsWith("..")) return undefined;
  return `${root}/${target.replace(/(?:^|\/)README\.md$/, "").replace(/\.md$/, "")}${anchor === undefined ? "" : `#${anchor}`}`.replace(
    /\/$/,
    "",
  );
}

/** As code hosts make them: what the pages link to. */
function slugOf(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/g, "-");
}

function plain(text: string): string {
  return text.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll(/[`*_]/g, "");
}
