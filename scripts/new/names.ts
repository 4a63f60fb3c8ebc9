/** How an actor is called in each place. */
export interface ActorNames {
  /** Its type, its folder and its files: `gift-card`. */
  readonly actor: string;
  /** The constant that holds its definition: `GiftCard`. */
  readonly type: string;
  /** What other constants begin with: `giftCard`. */
  readonly variable: string;
  /** In prose: `gift card`. */
  readonly words: string;
}

const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/u;
/** What an actor type may have; it becomes part of subjects and topics. */
const MAX_LENGTH = 63;

/**
 * What `NAME` and `PRODUCT/NAME` say.
 * @throws {RangeError} a part is no name, or there are more than two.
 */
export function placeOf(given: string): { readonly product: string | undefined; readonly names: ActorNames } {
  const [first = "", second, ...more] = given.split("/");
  if (more.length > 0) throw new RangeError(`Cannot place an actor at "${given}": expected NAME or PRODUCT/NAME`);
  if (second === undefined) return { product: undefined, names: namesOf(first) };
  if (!NAME.test(first))
    throw new RangeError(`Cannot place an actor in "${first}": expected a folder of actors/, as in "shop"`);
  return { product: first, names: namesOf(second) };
}

/**
 * The names that follow from an actor's name.
 * @throws {RangeError} it is no actor type, or its constant would hide a global.
 */
export function namesOf(actor: string): ActorNames {
  if (!NAME.test(actor) || actor.length > MAX_LENGTH) {
    throw new RangeError(
      `Cannot name an actor "${actor}": expected a noun of lower-case letters, digits and single hyphens, at most ${MAX_LENGTH}, as in "parcel" or "gift-card"`,
    );
  }
  const type = actor.replaceAll(/(?:^|-)(.)/gu, (_, letter: string) => letter.toUpperCase());
  if (type in globalThis) {
    throw new RangeError(
      `Cannot name an actor "${actor}" as ${type} would hide the global of that name: choose another noun`,
    );
  }
  return {
    actor,
    type,
    variable: type.charAt(0).toLowerCase() + type.slice(1),
    words: actor.replaceAll("-", " "),
  };
}
