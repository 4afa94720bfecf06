import { realFiles, type SpoolFiles } from "../../../src/sdk/usage/disk-spool/spool-files.ts";

/** A disk that takes so many bytes and then, in the middle of a write, no more; `bytesLeft` can be changed. */
export interface SmallDisk extends SpoolFiles {
  bytesLeft: number;
}

const noSpace = () => Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });

export function smallDisk(bytesLeft: number): SmallDisk {
  const disk: SmallDisk = {
    ...realFiles,
    bytesLeft,
    async create(path) {
      const file = await realFiles.create(path);
      return {
        ...file,
        async append(bytes) {
          const fits = Math.min(bytes.length, disk.bytesLeft);
          disk.bytesLeft -= fits;
          await file.append(bytes.subarray(0, fits));
          if (fits < bytes.length) throw noSpace();
        },
      };
    },
    writeSync(path, text) {
      if (Buffer.byteLength(text) > disk.bytesLeft) throw noSpace();
      disk.bytesLeft -= Buffer.byteLength(text);
      realFiles.writeSync(path, text);
    },
  };
  return disk;
}
