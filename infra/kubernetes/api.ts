/**
 * The few calls of a cluster's API that the driver makes, over `fetch`. The official client is not used: it hands its
 * certificates to the HTTP client in a way that Bun leaves out, so that it trusts no cluster but one with a public
 * certificate (@kubernetes/client-node 2.0.1 on Bun 1.4.5).
 */
import { withDeadline } from "../engines/deadline.ts";
import { EngineError } from "../engines/errors.ts";
import type { ClusterAccess } from "./kubeconfig.ts";
import type { KubeObject, ObjectList } from "./objects.ts";

/** Whose fields are whose: the name that the server keeps with what we set. */
export const FIELD_MANAGER = "troupe";

/** A change that a watch tells of. */
export interface WatchEvent<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: T;
}

type Method = "GET" | "POST" | "PATCH" | "DELETE";

/** Which body a PATCH has. */
const PATCHES = {
  apply: "application/apply-patch+yaml",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
} as const;

/** A cluster's API in one namespace. Paths are as in `/apis/apps/v1/namespaces/default/deployments`. */
export class KubeApi {
  readonly #access: () => Promise<ClusterAccess>;
  readonly #timeoutMs: number;

  constructor(access: () => Promise<ClusterAccess>, timeoutMs: number) {
    this.#access = access;
    this.#timeoutMs = timeoutMs;
  }

  async access(): Promise<ClusterAccess> {
    return await this.#access();
  }

  /** @throws {EngineError} `not_found`, `refused`, … as the server answers. */
  async get<T>(path: string, query: Record<string, string> = {}): Promise<T> {
    return await this.#call<T>("GET", path, query);
  }

  async list<T extends KubeObject>(path: string, labelSelector: string): Promise<ObjectList<T>> {
    return await this.#call<ObjectList<T>>("GET", path, { labelSelector });
  }

  /** @throws {EngineError} `conflict`: there is one of this name. */
  async create<T extends KubeObject>(path: string, object: object): Promise<T> {
    return await this.#call<T>("POST", path, { fieldManager: FIELD_MANAGER }, object);
  }

  /** Server-side apply: the fields that are given become ours, whoever had set them. */
  async apply(path: string, object: object, fieldManager = FIELD_MANAGER): Promise<void> {
    await this.#call("PATCH", path, { fieldManager, force: "true" }, object, PATCHES.apply);
  }

  async merge(path: string, change: object): Promise<void> {
    await this.#call("PATCH", path, { fieldManager: FIELD_MANAGER }, change, PATCHES.merge);
  }

  /** A change by somebody else, who knows lists by their keys: as `kubectl` makes it. */
  async strategic(path: string, change: object): Promise<void> {
    await this.#call("PATCH", path, { fieldManager: "by-hand" }, change, PATCHES.strategic);
  }

  async delete(path: string, options: object): Promise<void> {
    await this.#call("DELETE", path, {}, { apiVersion: "v1", kind: "DeleteOptions", ...options });
  }

  /**
   * The changes from a version on, until the server ends the stream (after some minutes) or `signal` is aborted.
   * @throws {EngineError} `not_found` when the version is too old to be told from: list again.
   */
  async *watch<T extends KubeObject>(
    path: string,
    labelSelector: string,
    resourceVersion: string,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>> {
    const query = { labelSelector, resourceVersion, watch: "true", allowWatchBookmarks: "true", timeoutSeconds: "240" };
    for await (const line of this.stream(path, query, signal)) {
      const event = JSON.parse(line) as WatchEvent<T>;
      if (event.type === "ERROR") {
        const { code = 500, message = "" } = event.object as { code?: number; message?: string };
        throw new EngineError(code === 410 ? "not_found" : "failed", `Cannot watch ${path}: ${message}`);
      }
      yield event;
    }
  }

  /** An answer line by line, for as long as it comes. */
  async *stream(path: string, query: Record<string, string>, signal: AbortSignal): AsyncGenerator<string> {
    const ending = new AbortController();
    const either = AbortSignal.any([signal, ending.signal]);
    const response = await withDeadline(`read ${path}`, this.#timeoutMs, () =>
      this.#send("GET", path, query, either, undefined, undefined),
    );
    const decoder = new TextDecoder();
    let open = "";
    try {
      for await (const chunk of response.body ?? []) {
        const lines = (open + decoder.decode(chunk, { stream: true })).split("\n");
        open = lines.pop() ?? "";
        for (const line of lines) if (line !== "") yield line;
      }
      if (open !== "") yield open;
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      ending.abort();
    }
  }

  async #call<T>(
    method: Method,
    path: string,
    query: Record<string, string>,
    body?: object,
    contentType = "application/json",
  ): Promise<T> {
    return await withDeadline(`${method} ${path}`, this.#timeoutMs, async (signal) => {
      const response = await this.#send(method, path, query, signal, body, contentType);
      return (await response.json()) as T;
    });
  }

  async #send(
    method: Method,
    path: string,
    query: Record<string, string>,
    signal: AbortSignal,
    body: object | undefined,
    contentType: string | undefined,
  ): Promise<Response> {
    const { server, tls, authorization } = await this.#access();
    const who = await authorization();
    const response = await fetch(`${server}${path}?${new URLSearchParams(query)}`, {
      method,
      signal,
      tls,
      headers: {
        accept: "application/json",
        ...(who === undefined ? {} : { authorization: who }),
        ...(contentType === undefined ? {} : { "content-type": contentType }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (response.ok) return response;
    const text = await response.text();
    throw Object.assign(new Error(messageOf(text)), { statusCode: response.status });
  }
}

function messageOf(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    return text;
  }
}
