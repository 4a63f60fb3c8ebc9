/** For counts beside those of the runtime, in the same buckets. */
export { Buckets, SECONDS } from "#runtime/internal";
