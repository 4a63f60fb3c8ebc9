/** The parts of an OpenAPI document that the page shows. */
export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
}

interface RawOperation {
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly "x-scope"?: string;
  readonly parameters?: readonly { name: string; in: string; required?: boolean; schema?: unknown }[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: unknown }>> };
  readonly responses?: Readonly<
    Record<
      string,
      { readonly description?: string; readonly content?: Readonly<Record<string, { readonly schema?: unknown }>> }
    >
  >;
}

/** One route, flat. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly description: string | undefined;
  readonly scope: string | undefined;
  readonly parameters: readonly { name: string; where: string; required: boolean; schema: unknown }[];
  readonly body: unknown;
  readonly answers: readonly { status: string; description: string; schema: unknown }[];
}

/** The routes by tag, in the order of the document; those alone whose path, summary or tag holds `wanted`. */
export function groupsOf(
  document: OpenApi,
  wanted: string,
): readonly { tag: string; operations: readonly Operation[] }[] {
  const groups = new Map<string, Operation[]>();
  const sought = wanted.trim().toLowerCase();
  for (const [path, operations] of Object.entries(document.paths))
    for (const [method, raw] of Object.entries(operations)) {
      const tag = raw.tags?.[0] ?? "Other";
      if (!`${method} ${path} ${raw.summary ?? ""} ${tag}`.toLowerCase().includes(sought)) continue;
      const group = groups.get(tag) ?? [];
      group.push(flat(method.toUpperCase(), path, raw));
      groups.set(tag, group);
    }
  return [...groups].map(([tag, operations]) => ({ tag, operations }));
}

function flat(method: string, path: string, raw: RawOperation): Operation {
  const first = (content: Readonly<Record<string, { readonly schema?: unknown }>> | undefined): unknown =>
    Object.entries(content ?? {}).find(([type]) => type !== "application/problem+json")?.[1].schema;
  return {
    method,
    path,
    summary: raw.summary ?? "",
    description: raw.description,
    scope: raw["x-scope"],
    parameters: (raw.parameters ?? []).map((parameter) => ({
      name: parameter.name,
      where: parameter.in,
      required: parameter.required === true,
      schema: parameter.schema,
    })),
    body: first(raw.requestBody?.content),
    answers: Object.entries(raw.responses ?? {}).map(([status, { description, content }]) => ({
      status,
      description: description ?? "",
      schema: first(content),
    })),
  };
}
