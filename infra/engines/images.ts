import type { Engine } from "./engine.ts";
import { EngineError } from "./errors.ts";

/** How an image stands with an engine. `busy`: it is on its way; `word` says how far. */
export type ImageState =
  | { readonly kind: "ready"; readonly id: string }
  | { readonly kind: "busy"; readonly word: string }
  | { readonly kind: "failed"; readonly message: string };

/** Brings the images that containers are to be made of: built here where we know how, otherwise from their registry. */
export class Images {
  readonly #engine: Engine;
  readonly #build: (reference: string) => (() => Promise<void>) | undefined;
  readonly #coming = new Map<string, { word: string }>();
  readonly #failed = new Map<string, string>();

  /** `build` knows how to make some images here. */
  constructor(engine: Engine, build: (reference: string) => (() => Promise<void>) | undefined) {
    this.#engine = engine;
    this.#build = build;
  }

  /** The image, or how far it is. Fetching goes on in the background; a failure is told once, the next question tries again. */
  async state(reference: string): Promise<ImageState> {
    const id = await this.#engine.image(reference);
    if (id !== undefined) {
      this.#failed.delete(reference);
      return { kind: "ready", id };
    }
    const failed = this.#failed.get(reference);
    if (failed !== undefined) {
      this.#failed.delete(reference);
      return { kind: "failed", message: failed };
    }
    const coming = this.#coming.get(reference) ?? this.#bring(reference);
    return { kind: "busy", word: coming.word };
  }

  #bring(reference: string): { word: string } {
    const build = this.#build(reference);
    const coming = {
      word: build ? `the image ${reference} is being built` : `the image ${reference} is being fetched`,
    };
    this.#coming.set(reference, coming);
    const bringing = build
      ? build()
      : this.#engine.pull(reference, (word) => (coming.word = `the image ${reference} is being fetched: ${word}`));
    void bringing
      .then(
        () => undefined,
        (error: unknown) => {
          const why = error instanceof EngineError || build ? (error as Error).message : String(error);
          this.#failed.set(reference, why);
        },
      )
      .finally(() => this.#coming.delete(reference));
    return coming;
  }
}
