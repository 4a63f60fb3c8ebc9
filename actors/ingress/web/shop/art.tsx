import type { ReactNode } from "react";

/** What a product looks like, told from its SKU and name. */
type Kind = "tea" | "cup" | "pot" | "tin" | "thing";

const WORDS: readonly (readonly [Kind, RegExp])[] = [
  ["pot", /^pot|teapot|kettle/i],
  ["cup", /^cup|mug|bowl/i],
  ["tin", /^tin|caddy|jar/i],
  ["tea", /^tea|assam|sencha|oolong|leaf/i],
];

function kindOf(sku: string, name: string): Kind {
  return WORDS.find(([, words]) => words.test(sku) || words.test(name))?.[0] ?? "thing";
}

const DRAWINGS: Readonly<Record<Kind, ReactNode>> = {
  tea: (
    <>
      <path className="art-shade" d="M44 96h72l-6 12H50z" />
      <path className="art-a" d="M80 22c26 6 38 30 30 58-30-2-44-26-30-58z" />
      <path className="art-b" d="M76 34c-26 0-40 20-34 48 28 4 44-16 34-48z" />
      <path className="art-line" d="M82 30c6 18 12 32 26 48M72 42C66 56 58 68 44 80M80 70v30" />
    </>
  ),
  cup: (
    <>
      <ellipse className="art-shade" cx="78" cy="104" rx="50" ry="7" />
      <path className="art-a" d="M40 52h76l-8 38c-2 9-8 13-16 13H64c-8 0-14-4-16-13z" />
      <path className="art-line" d="M114 60c16-2 20 22-6 26" />
      <ellipse className="art-b" cx="78" cy="52" rx="38" ry="7" />
      <path className="art-steam" d="M66 40c-6-8 6-12 0-20M80 38c-6-8 6-14 0-24M94 40c-6-8 6-12 0-20" />
    </>
  ),
  pot: (
    <>
      <ellipse className="art-shade" cx="80" cy="106" rx="52" ry="7" />
      <path className="art-line" d="M56 44c4-28 44-28 48 0" />
      <path className="art-b" d="M116 66c14-2 14-16 26-20l2 6c-8 8-8 28-26 34z" />
      <path className="art-a" d="M38 74c0-20 18-30 42-30s42 10 42 30-16 31-42 31-42-11-42-31z" />
      <path className="art-b" d="M60 47c6-6 34-6 40 0-4 5-36 5-40 0z" />
      <circle className="art-b" cx="80" cy="38" r="5" />
      <path className="art-line" d="M44 70c24 8 48 8 72 0" />
    </>
  ),
  tin: (
    <>
      <ellipse className="art-shade" cx="80" cy="108" rx="40" ry="6" />
      <path className="art-a" d="M48 40h64v62c0 6-64 6-64 0z" />
      <path className="art-b" d="M46 28c0-8 68-8 68 0v12c0 7-68 7-68 0z" />
      <rect className="art-paper" x="60" y="58" width="40" height="30" rx="3" />
      <path className="art-line" d="M80 64c8 4 9 12 6 18-8-1-11-9-6-18zM68 80c4 2 8 2 12 0" />
    </>
  ),
  thing: (
    <>
      <ellipse className="art-shade" cx="80" cy="106" rx="46" ry="6" />
      <path className="art-a" d="M40 50l40 16v42L40 90z" />
      <path className="art-b" d="M120 50L80 66v42l40-18z" />
      <path className="art-paper" d="M40 50l40-16 40 16-40 16z" />
    </>
  ),
};

/** Products of one kind differ in their tint. */
function tintOf(sku: string): number {
  return new TextEncoder().encode(sku).reduce((sum, byte) => sum + byte, 0) % 3;
}

/** A drawing of a product, by kind. The name beside it says the same. */
export function Art({ sku, name, small = false }: { sku: string; name: string; small?: boolean }) {
  const kind = kindOf(sku, name);
  return (
    <span className={small ? "art art-small" : "art"} data-kind={kind} data-tint={tintOf(sku)}>
      <svg viewBox="0 0 160 120" aria-hidden="true">
        {DRAWINGS[kind]}
      </svg>
    </span>
  );
}
