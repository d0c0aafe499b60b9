// A subscription to a resource: its changes for `for await`, `uri` and `times` each. It begins where it is made, as calls do, and
// ends when its loop is left. Awaited, it is there once the server has agreed, so that nothing is missed from then on.
import { CALL, start } from 'sandbox/calls';

/** Of the call that stands open at the host. */
export function subscription(promise) {
  const call = promise[CALL];
  call.isAwaited = false; // Nobody has, so far.
  const changes = new Changes(call);
  const updates = changes.each();
  return {
    [Symbol.asyncIterator]() {
      call.isAwaited = true;
      return updates;
    },
    // What it gives must not be awaitable itself, or that would never end.
    then(agreed, refused) {
      call.isAwaited = true;
      return changes.begun().then(() => updates).then(agreed, refused);
    },
    toString: () => String(call),
  };
}

class Changes {
  #call;
  #ended;
  #seen = 0;
  #updates = [];

  constructor(call) {
    this.#call = call;
    this.#ended = call.promise.then(() => {}, () => {});
  }

  async *each() {
    try {
      for (;;) {
        while (!this.#updates.length) await this.#look();
        yield this.#updates.shift();
      }
    } finally {
      this.#call.giveUp();
    }
  }

  async begun() {
    while (!this.#seen) await this.#look();
  }

  async #look() {
    const call = this.#call;
    const over = call.isOver;
    const asked = start('tta', 'updates/since', { call: call.handle, seen: this.#seen, now: over }, 'tta.updates');
    const told = await (over ? asked : Promise.race([asked, this.#ended]));
    if (!told) {
      // Asked once more when it is over: the host keeps what was not read yet.
      asked[CALL].giveUp();
      return;
    }
    this.#seen = told.seen;
    this.#updates.push(...told.updates);
    if (over && !told.updates.length) await call.promise; // Why it is over.
  }
}
