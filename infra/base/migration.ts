/** One SQL file. Its name, as in `0002_create_actor_index.sql`, is what a store remembers it by. */
export interface Migration {
  readonly name: string;
  readonly text: string;
}
