/**
 * The keeper: one process for all the networks that users define in a store. It holds the namespace with their bridges, gives addresses, and
 * answers containers' questions for names. The first container that needs it starts it; it ends with the last one. What it knows it was told by commands,
 * so after its death the next command starts another one and tells it anew.
 */
import { mkdirSync, readdirSync, rmSync, watch, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { asSlipwayError } from "../base/errors.ts";
import { isAlive } from "./live-process.ts";
import { answerQuery, createForwarder, serveNames, type Forwarder, type NameServer } from "./name-server.ts";
import { keeperFiles, type KeeperAnswer, type KeeperQuestion } from "./network-keeper-files.ts";
import { settle, type Member, type Membership } from "./network-members.ts";
import { createWiring, type Wiring } from "./network-wiring.ts";

/** Whoever ends a container removes its file, and that is seen at once; this is for ends that nobody saw. */
const lookMs = 2000;

/** Who started it may be killed before it asks. */
const unusedMs = 30_000;

/** Writes a line when it can be asked. */
export async function runNetworkKeeper(runDirectory: string): Promise<void> {
  const files = keeperFiles(runDirectory);
  rmSync(files.members, { recursive: true, force: true });
  mkdirSync(files.members, { recursive: true, mode: 0o700 });
  rmSync(files.socket, { force: true });
  const forwarder = await createForwarder();
  const keeper = new Keeper(createWiring(), forwarder, files.members);
  const server = createServer({ allowHalfOpen: true });
  server.on("connection", (socket) => {
    let text = "";
    socket.setEncoding("utf8");
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: string) => (text += chunk));
    socket.on("end", () => socket.end(JSON.stringify(keeper.answer(text))));
    socket.on("close", () => endWhenIdle());
  });
  const endWhenIdle = (): void => {
    if (keeper.isEmpty() && (keeper.used || performance.now() > unusedMs)) endKeeper(server, files.socket);
  };
  const look = (): void => {
    keeper.look();
    endWhenIdle();
  };
  watch(files.members, look);
  setInterval(look, lookMs);
  server.listen(files.socket, () => process.stdout.write("ready\n"));
}

/** Who connects in this moment is refused, and starts another one. */
function endKeeper(server: Server, socket: string): void {
  server.close();
  rmSync(socket, { force: true });
  process.exit(0);
}

interface Kept {
  readonly member: Member;
  readonly names: NameServer;
}

class Keeper {
  readonly #wiring: Wiring;
  readonly #forwarder: Forwarder;
  readonly #directory: string;
  readonly #kept = new Map<string, Kept>();
  used = false;

  constructor(wiring: Wiring, forwarder: Forwarder, directory: string) {
    this.#wiring = wiring;
    this.#forwarder = forwarder;
    this.#directory = directory;
  }

  isEmpty(): boolean {
    return this.#kept.size === 0;
  }

  answer(text: string): KeeperAnswer {
    try {
      const question = JSON.parse(text) as KeeperQuestion;
      this.look();
      if (question.kind === "list") return { kind: "members", ids: [...this.#kept.keys()] };
      return this.#join(question.membership);
    } catch (error) {
      return { kind: "failed", message: asSlipwayError(error).message };
    }
  }

  #join(wish: Membership): KeeperAnswer {
    this.used = true;
    const former = this.#kept.get(wish.id);
    const settled = settle(this.#members(), wish);
    if ("problem" in settled) return { kind: "refused", message: settled.problem };
    const { member } = settled;
    try {
      this.#rewire(former?.member, member);
      const names = former?.names ?? this.#serve(member);
      this.#kept.set(member.id, { member, names });
    } catch (error) {
      this.#forget(wish.id);
      throw error;
    }
    writeFileSync(`${this.#directory}/${member.id}`, "");
    this.#dropEmpty();
    return { kind: "joined", addresses: Object.fromEntries(member.places.map(({ networkId, address }) => [networkId, address])) };
  }

  #rewire(former: Member | undefined, member: Member): void {
    const has = (places: Member["places"], wanted: Member["places"][number]): boolean =>
      places.some((place) => place.networkId === wanted.networkId && place.interface === wanted.interface && place.address === wanted.address);
    const before = former?.places ?? [];
    for (const place of before.filter((old) => !has(member.places, old))) this.#wiring.unplug(member.pid, place.interface);
    for (const place of member.places.filter((fresh) => !has(before, fresh))) this.#wiring.plug(member.pid, place);
  }

  #serve({ id, pid }: Member): NameServer {
    return serveNames(this.#wiring.openResolver(pid), async (query) => {
      const asker = this.#kept.get(id)?.member;
      return asker === undefined ? undefined : await answerQuery(this.#members(), asker, query, this.#forwarder);
    });
  }

  /** Forgets those that have ended. */
  look(): void {
    const files = new Set(readdirSync(this.#directory));
    for (const { member } of this.#kept.values()) if (!files.has(member.id) || !isAlive(member)) this.#forget(member.id);
    this.#dropEmpty();
  }

  /** An open socket would keep the container's namespace. */
  #forget(id: string): void {
    this.#kept.get(id)?.names.close();
    this.#kept.delete(id);
    rmSync(`${this.#directory}/${id}`, { force: true });
  }

  readonly #networks = new Set<string>();

  #dropEmpty(): void {
    const now = new Set([...this.#kept.values()].flatMap(({ member }) => member.places.map(({ networkId }) => networkId)));
    for (const network of this.#networks) if (!now.has(network)) this.#wiring.dropNetwork(network);
    this.#networks.clear();
    for (const network of now) this.#networks.add(network);
  }

  #members(): ReadonlyMap<string, Member> {
    return new Map([...this.#kept].map(([id, { member }]) => [id, member]));
  }
}
