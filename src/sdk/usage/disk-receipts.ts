interface Receipt {
  readonly promise: Promise<boolean>;
  readonly resolve: (isOnDisk: boolean) => void;
  /** Stands for the events with a sequence below this. */
  upTo: number;
}

/** The promises that events are on disk: one for all that are written together. */
export class DiskReceipts {
  #receipts: Receipt[] = [];
  #isOpen = false;

  /** The receipt of an event that is reported now. */
  get current(): Promise<boolean> {
    const newest = this.#receipts.at(-1);
    if (this.#isOpen && newest !== undefined) return newest.promise;
    const receipt = newReceipt();
    this.#receipts.push(receipt);
    this.#isOpen = true;
    return receipt.promise;
  }

  /** Events from `nextSequence` on get another receipt. */
  close(nextSequence: number): void {
    const newest = this.#receipts.at(-1);
    if (this.#isOpen && newest !== undefined) newest.upTo = nextSequence;
    this.#isOpen = false;
  }

  /** All events below `upTo` are on disk. */
  written(upTo: number): void {
    while (this.#receipts[0] !== undefined && this.#receipts[0].upTo <= upTo) {
      this.#receipts.shift()?.resolve(true);
    }
  }

  /** Those that still wait for the disk wait in vain. */
  failed(): void {
    for (const { resolve } of this.#receipts) resolve(false);
    this.#receipts = [];
    this.#isOpen = false;
  }
}

function newReceipt(): Receipt {
  let resolve: (isOnDisk: boolean) => void = () => {};
  const promise = new Promise<boolean>((settle) => {
    resolve = settle;
  });
  return { promise, resolve, upTo: Number.POSITIVE_INFINITY };
}
