import type { SchemaValidator } from "#infra/schemas/validator.ts";
import type { SecretBox } from "#infra/secrets/secret-box.ts";
import type { Log, Troupe } from "#runtime";
import type { Directory } from "./directory.ts";

/** What the gateway's routes speak to. */
export interface GatewayDeps {
  /** @throws {Problem} 503 while it is not there yet. */
  readonly troupe: () => Troupe;
  /** What this node knows of sources, schemas and routes. @throws {Problem} 503 while it is not there yet. */
  readonly directory: () => Directory;
  /** The types of our own actors, and what their events are about: their places and sources are reserved. */
  readonly nouns: () => ReadonlySet<string>;
  /** Compiles the schemas that are put. */
  readonly validator: SchemaValidator;
  /** Addresses that endpoints may lead to. Default: public ones. */
  readonly allows?: ((address: string) => boolean) | undefined;
  /** Opens the secrets of endpoints, to show them once. */
  readonly secrets: Pick<SecretBox, "open">;
  readonly log: Log;
}
