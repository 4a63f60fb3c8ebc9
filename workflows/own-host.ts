import type { Engine } from "#infra/engines/engine.ts";
import type { HostRoom } from "#infra/engines/host-room.ts";
import type { Images } from "#infra/engines/images.ts";

/** The engine that a process drives, under the name of its host. */
export interface OwnHost {
  readonly host: string;
  readonly engine: Engine;
  readonly images: Images;
  /** How much its containers may take together; without it any amount. */
  readonly room?: HostRoom | undefined;
}
