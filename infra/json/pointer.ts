/** JSON pointers, as the runtime writes them: {@link pointerOf} of the keys from the root, {@link stepOf} and {@link keyOf} of one. */
export { keyOf, pointerOf, stepOf } from "#runtime/internal";
