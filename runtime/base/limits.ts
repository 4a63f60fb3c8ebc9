/** A state, as JSON text, may have this many UTF-16 code units at most. One over it is refused with `state_too_large`. */
export const MAX_STATE_LENGTH = 1_048_576;
/** An event's data, as JSON text: below every broker's default message limit, envelope included. */
export const MAX_EVENT_LENGTH = 786_432;
/** A routed record's data, as JSON text: an event's, with its envelope and its address. */
export const MAX_ROUTED_LENGTH = MAX_EVENT_LENGTH + 16_384;
/** A broadcast's data, as JSON text: it goes to browsers in one frame. */
export const MAX_BROADCAST_LENGTH = 65_536;
/** Characters of a topic's name. */
export const MAX_TOPIC_LENGTH = 200;
/** Topics of one subscription. */
export const MAX_TOPICS = 100;
/** What one turn may emit, send, broadcast, start and set, taken together. */
export const MAX_EFFECTS = 10_000;
/** Stored replies an activation keeps at hand; older ones are looked up. */
export const REPLIES_IN_MEMORY = 1_000;

/** Message ids beside these that an actor remembers to have answered, at most: an id that it remembers none of is new. */
export const IDS_IN_MEMORY = 10_000;
/** Message ids and keys are at most this long. */
export const MAX_ID_LENGTH = 255;
export const MAX_KEY_LENGTH = 200;
/** Without a message for this long an actor leaves memory, unless its type says otherwise. */
export const DEFAULT_IDLE = "2m";
/** A turn may take this long, unless its actor's type says otherwise. */
export const DEFAULT_TURN_LIMIT = "5m";
/** Actors in memory on one node, at most, unless `createTroupe` is told otherwise. */
export const MAX_ACTIVE_ACTORS = 100_000;
/** Indexed text is kept up to this many UTF-16 code units: a database's index entries are small. The state decides the rest. */
export const MAX_INDEXED_LENGTH = 200;
/** The name of an indexed field is at most this long. */
export const MAX_FIELD_LENGTH = 100;
/** Why an actor was paused, as text: longer reasons are cut off. */
export const MAX_REASON_LENGTH = 1_000;
/** What one turn may leave to be written, as characters: its state, its reply and everything it emits and sends. */
export const MAX_TURN_LENGTH = 33_554_432;
/** A reply, as JSON text. */
export const MAX_REPLY_LENGTH = 4_194_304;
/** What the turns of one commit lane may leave to be written, as characters, before no further turn begins there. */
export const MAX_LANE_LENGTH = 33_554_432;
/** What one transaction writes, as characters: one turn that leaves more has its own. */
export const MAX_BATCH_LENGTH = 8_388_608;
/** Messages that wait in the mailboxes of one commit lane, all actors together. */
export const MAX_WAITING_MESSAGES = 131_072;
