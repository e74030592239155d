/**
 * The composition root: with `assemble-admin.ts` the only place that names concrete stores, vendors and runtimes.
 * It opens what lies on disk, plugs the stages together, and closes everything in the opposite order.
 */
import { resolve } from "node:path";
import {
  type CompiledConfig,
  type DataPaths,
  FilesSnapshotStore,
  type SecretSource,
  dataPaths,
  effectiveSnapshot,
} from "./config/index.ts";
import { type DetectorName, type Finding, detectorNames, openScan, redact, scan } from "./engines/detectors/index.ts";
import { vendorDialectOf } from "./engines/dialects/index.ts";
import { vendorTaskOf } from "./engines/tasks/index.ts";
import {
  createDetectorsRuntime,
  createExtractiveRuntime,
  createOnnxRuntime,
  createRulesRuntime,
} from "./engines/runtimes/index.ts";
import type { ChatRequest } from "./kernel/chat.ts";
import type { Clock } from "./kernel/clock.ts";
import type { BegunMeta } from "./kernel/decision.ts";
import { keyedDigest } from "./kernel/keyed-digest.ts";
import type { DecisionId } from "./kernel/ids.ts";
import { nanoUsd } from "./kernel/money.ts";
import type { Snapshot, UseCase } from "./kernel/snapshot.ts";
import {
  type Journal,
  type KeyRing,
  type Signer,
  fileSink,
  openFileKek,
  openFileSigner,
  openJournal,
  openKeyRing,
} from "./ledger/index.ts";
import type { Decision } from "./path/context.ts";
import type { Path } from "./path/path.ts";
import { type Collection, openCollection } from "./retrieval/index.ts";
import { type ConsentRegistry, IdempotencyTable, ListedConsents, createAdmit } from "./stages/admit/index.ts";
import { createCheck } from "./stages/check/index.ts";
import { createGround } from "./stages/ground/index.ts";
import { KeyDirectory, openPepper } from "./stages/identify/index.ts";
import { createJudge } from "./stages/judge/index.ts";
import { ExactCache } from "./stages/recall/index.ts";
import {
  createReserve,
  estimateRequestTokens,
  estimateTokens,
  LimitBook,
  MoneyBook,
  scopeName,
  TokenCalibration,
} from "./stages/reserve/index.ts";
import { CascadeBook, OverrideBook, createRoute } from "./stages/route/index.ts";
import { type Scanner, createScreen } from "./stages/screen/index.ts";
import { Capacity, createServe, createUpstream, HealthBook, ModelHouse, VendorKeys } from "./stages/serve/index.ts";
import { type FirstTarget, createReplay, createSettle, settleInterrupted } from "./stages/settle/index.ts";
import { type FilePort, nodeFiles } from "./stores/files/index.ts";
import { type ControlStore, SqliteIndex, openControlStore } from "./stores/sqlite/index.ts";
import { type HouseState, type Log, type Metrics, type Telemetry, createTelemetry } from "./telemetry/index.ts";

export interface AssembleOptions {
  /** Process settings (server, ledger) as the file on disk says them; requests run under the applied snapshot. */
  settings: Pick<CompiledConfig, "server" | "ledger" | "telemetry" | "alerts">;
  /** Folder that paths in `settings` are relative to. */
  root: string;
  dataDir: string;
  keyFile?: string | undefined;
  secrets: SecretSource;
  clock: Clock;
  log: Log;
  files?: FilePort;
  version: string;
  /** Name of this process's journal. */
  node?: string;
  /** Bytes that may wait for the journal's disk before queued use cases are refused; default 64 MB. */
  maxQueuedBytes?: number;
}

/** Everything that runs, for the surfaces and the process's life. */
export interface House {
  options: AssembleOptions;
  paths: DataPaths;
  path: Path;
  journal: Journal;
  keyRing: KeyRing;
  signer: Signer;
  index: SqliteIndex;
  control: ControlStore;
  directory: KeyDirectory;
  pepper: Uint8Array;
  snapshots: FilesSnapshotStore;
  limits: LimitBook;
  money: MoneyBook;
  models: ModelHouse;
  health: HealthBook;
  vendorKeys: VendorKeys;
  capacity: Capacity;
  cache: ExactCache;
  cascades: CascadeBook;
  overrides: OverrideBook;
  telemetry: Telemetry;
  metrics: Metrics;
  /** HMAC-SHA256 under the install's key, hex. */
  digest(data: string | Uint8Array): string;
  /** Input tokens of the use case's prompt and a request, estimated. */
  countTokens(useCase: UseCase, request: ChatRequest): number;
  /** Takes out of a text what is never recorded. */
  scrub(text: string): string;
  /** The snapshot that serves now, and since when. */
  serving(): Served;
  /** Loads a newer applied snapshot if there is one; true when it now serves. */
  reload(): Promise<boolean>;
  close(): Promise<void>;
}

export async function assemble(options: AssembleOptions): Promise<House> {
  const { clock, log, settings } = options;
  const files = options.files ?? nodeFiles;
  const paths = dataPaths(options.dataDir, options.keyFile);
  const node = options.node ?? "server";

  const signer = await openFileSigner({ files, clock, path: paths.signer });
  const pepper = await openPepper(files, clock, paths.pepper);
  const kek = await openFileKek({ files, clock, path: paths.keyEncryption });
  const keyRing = await openKeyRing({ files, clock, dir: paths.ledger, node, kek });
  const checkpoints = settings.ledger.checkpoints.map(({ file }) =>
    fileSink({ files, folder: resolve(options.root, file) }),
  );
  let index: SqliteIndex | undefined;
  const journal = await openJournal({
    dir: paths.ledger,
    node,
    files,
    clock,
    keys: keyRing,
    signer,
    checkpoints,
    ...(options.maxQueuedBytes !== undefined && { maxQueuedBytes: options.maxQueuedBytes }),
    onCommitted: ({ seq }) => index?.wake({ node, seq }),
  });
  const snapshots = new FilesSnapshotStore(options.dataDir);
  const interrupted = await settleInterrupted(journal, (begun) => firstTargetOf(snapshots, options, begun));
  if (interrupted > 0) log.warn("settled decisions that a crash had interrupted", { decisions: interrupted });
  const durable = { node, seq: journal.health().entries - 1 };
  index = await SqliteIndex.open({
    path: paths.projection,
    journalDir: paths.ledger,
    log: (message) => log.warn(message),
    durable,
  });
  const control = openControlStore(paths.control);
  const directory = new KeyDirectory({ store: control.keys, pepper, environment: settings.server.environment, clock });
  directory.watch((fault) => log.fault("the key store can't be read; known keys stay in force", fault));

  const money = new MoneyBook(clock, (notice) => telemetry.budgetReached(notice));
  const limits = new LimitBook(clock);
  const cache = new ExactCache({ clock });
  const idempotency = new IdempotencyTable(clock);
  const upstream = createUpstream({ clock });
  const cascades = new CascadeBook(clock);
  const overrides = new OverrideBook(control.overrides, clock);
  overrides.watch((fault) => log.fault("the store of overrides can't be read; those known stay in force", fault));
  const health = new HealthBook(clock, (change) => log.warn("a target's health changed", { ...change }));
  const vendorKeys = new VendorKeys(clock, (vendor, key, status) =>
    log.warn("a vendor no longer takes a key; the others carry on", { vendor, key, status }),
  );
  const capacity = new Capacity({
    clock,
    // A target is `vendor/model`, and a vendor's name holds no slash.
    boundsOf: (target) => serving.current().snapshot.vendors.get(target.slice(0, target.indexOf("/")))?.capacity,
  });
  const calibration = new TokenCalibration();
  const models = new ModelHouse([
    createOnnxRuntime({ clock }),
    createRulesRuntime({ clock }),
    createExtractiveRuntime(),
    createDetectorsRuntime({ clock, names: detectorNames, scan: scanner.scan }),
  ]);
  const serving = new Serving(snapshots, options, models);
  await serving.reload();
  await restore(index, { money, idempotency, clock, node });

  const telemetry = createTelemetry({
    clock,
    log,
    settings: settings.telemetry,
    alerts: settings.alerts,
    house: stateOf({ journal, limits, money, cache, health, capacity, vendorKeys, serving }),
    places: () => serving.current().snapshot,
    version: options.version,
  });

  const digest = keyedDigest(pepper);
  const report = (d: Decision, fault: unknown) =>
    log.fault("a decision met a fault", fault, { decision: d.id, use_case: d.useCase.name });
  const keyRefusal = (d: Decision) => directory.isLive(d.principal.credential);
  const settle = createSettle({
    journal,
    idempotency,
    cache,
    scrub,
    digest,
    report,
    begun: (d) => telemetry.begun(d.useCase.name),
    settled: (d, meta) => telemetry.settled(d, meta),
    replayed: (d) => telemetry.replayed(d.useCase.name),
    unrecorded: (refusal) => telemetry.refusedBefore(refusal),
  });
  const path: Path = {
    clock,
    snapshot: () => serving.current().snapshot,
    countRefusal: (refusal) => telemetry.refusedBefore(refusal),
    identify: (credential) => directory.identify(credential),
    admit: createAdmit({
      consents: { covers: (query) => serving.consents.covers(query) },
      idempotency,
      pseudonym: (tenant, subject) => keyRing.pseudonym(tenant, subject),
      digest,
      replay: createReplay({ ledger: { dir: paths.ledger, files, node }, keys: keyRing }),
    }),
    reserve: createReserve({
      limits,
      money,
      unusual(d) {
        const state = telemetry.anomalyActionOf(d.tenant.name, d.principal.id);
        if (state?.action !== "throttle" && state?.action !== "block") return undefined;
        return { action: state.action, retryAfterMs: Math.max(1000, state.until - clock.monotonic()) };
      },
    }),
    screen: createScreen(scanner),
    route: createRoute({
      models,
      dialects: vendorDialectOf,
      tasks: vendorTaskOf,
      health,
      keys: vendorKeys,
      cascades,
      overrides,
    }),
    recall: (d) => cache.find(d),
    ground: createGround({ collection: (generation) => serving.collection(generation), scanner }),
    serve: createServe({
      upstream,
      dialects: vendorDialectOf,
      tasks: vendorTaskOf,
      models,
      money,
      health,
      keys: vendorKeys,
      isExcluded: (d, place) => overrides.excludes(d.useCase.name, place),
      report,
      keyRefusal,
      capacity,
      calibration,
      record(d, meta) {
        cascades.attempted(d.useCase.name, meta);
        telemetry.attempted(d.useCase.name, meta);
        journal.append({ kind: "attempt", tenant: d.tenant.name, decision: d.id, meta });
      },
    }),
    check: createCheck(scanner, (views) => openScan(views as readonly ReadonlySet<DetectorName>[])),
    judge: createJudge(cascades),
    settle,
  };
  telemetry.start();
  const opened = index;
  return {
    options,
    paths,
    path,
    journal,
    keyRing,
    signer,
    index,
    control,
    directory,
    pepper,
    snapshots,
    limits,
    money,
    models,
    health,
    vendorKeys,
    cascades,
    overrides,
    capacity,
    cache,
    telemetry,
    metrics: telemetry.metrics,
    digest,
    countTokens: (useCase, request) => {
      const prompt = useCase.prompt === undefined ? 0 : 4 + estimateTokens(useCase.prompt);
      const rung = useCase.ladder.find((one) => one.type === "model");
      return calibration.expected(rung?.model ?? "", estimateRequestTokens(request) + prompt);
    },
    scrub,
    serving: () => serving.current(),
    reload: () => serving.reload(),
    async close() {
      await telemetry.close();
      directory.stop();
      overrides.stop();
      await upstream.close();
      await journal.close();
      await opened.close();
      await keyRing.close();
      await models.close();
      control.close();
    },
  };
}

/** `appliedBy` is the operator or command. */
interface Served {
  snapshot: Snapshot;
  appliedAtMs: number;
  appliedBy: string;
}

/** The applied snapshot with what had to be opened for it: models, collections, consents. */
class Serving {
  readonly #store: FilesSnapshotStore;
  readonly #options: AssembleOptions;
  readonly #models: ModelHouse;
  #current: Served | undefined;
  #collections = new Map<string, Collection>();
  #consents: ConsentRegistry = new ListedConsents([]);

  constructor(store: FilesSnapshotStore, options: AssembleOptions, models: ModelHouse) {
    this.#store = store;
    this.#options = options;
    this.#models = models;
  }

  current(): Served {
    if (!this.#current) throw new Error("no snapshot has been applied; run `weir apply`");
    return this.#current;
  }

  collection(generation: string): Collection | undefined {
    return this.#collections.get(generation);
  }

  get consents(): ConsentRegistry {
    return this.#consents;
  }

  async reload(): Promise<boolean> {
    const newest = await this.#store.current();
    if (newest === undefined || newest.number === this.#current?.snapshot.number) return false;
    const effective = await effectiveSnapshot(this.#store, { secrets: this.#options.secrets }, newest.number);
    const { snapshot } = effective!.compiled;
    const { log } = this.#options;
    await this.#models.load(snapshot, (model, why) =>
      log.warn("a model did not load; its rungs are not eligible", { model, why }),
    );
    const collections = new Map<string, Collection>();
    for (const { ground } of snapshot.useCases.values())
      if (ground)
        collections.set(
          ground.generation,
          this.#collections.get(ground.generation) ?? openCollection(ground.collection, ground.files),
        );
    // Both generations stay readable while requests of the old snapshot end.
    this.#collections = new Map([...this.#collections, ...collections]);
    this.#consents = new ListedConsents(snapshot.consents);
    this.#current = { snapshot, appliedAtMs: newest.applied_at_ms, appliedBy: newest.applied_by };
    return true;
  }
}

const scanner: Scanner = {
  scan: (text, wanted) => scan(text, wanted as ReadonlySet<DetectorName>),
  redact: (text, found) => redact(text, found as readonly Finding[]),
};

const neverRecorded: ReadonlySet<DetectorName> = new Set(["card-security-code"]);
const scrub = (text: string): string => {
  const found = scan(text, neverRecorded);
  return found.length === 0 ? text : redact(text, found);
};

/** The vendor's model that a decision of an earlier process asked first. */
async function firstTargetOf(
  snapshots: FilesSnapshotStore,
  { secrets, log }: Pick<AssembleOptions, "secrets" | "log">,
  begun: BegunMeta,
): Promise<FirstTarget | undefined> {
  try {
    const effective = await effectiveSnapshot(snapshots, { secrets }, begun.snapshot.number);
    const snapshot = effective?.compiled.snapshot;
    const ladder = snapshot?.useCases.get(begun.use_case)?.ladder ?? [];
    for (const [rung, one] of ladder.entries()) {
      const name = one.type === "model" ? one.model : one.type === "pool" ? one.members[0]?.model : undefined;
      const model = name === undefined ? undefined : snapshot?.models.get(name);
      if (model?.type !== "vendor") continue;
      const target = `${model.vendor}/${model.model}`;
      const region = snapshot!.vendors.get(model.vendor)!.region;
      return { rung, model: model.name, target, region, price: model.price };
    }
  } catch (fault) {
    log.fault("the snapshot of a decision that a crash interrupted can't be read; its call is not booked", fault);
  }
  return undefined;
}

/** What the journal says of the current windows: money spent and idempotency keys still in force. */
async function restore(
  index: SqliteIndex,
  into: { money: MoneyBook; idempotency: IdempotencyTable; clock: Clock; node: string },
): Promise<void> {
  await index.caughtUp();
  // Every window begins with an hour, so hours say exactly what each of them has spent.
  for (const { tenant, use_case, principal_id, credential, hour_ms, nano_usd } of await index.spendingSince(
    into.money.windowStartsMs()[0]!,
  ))
    for (const scope of [
      scopeName.tenant(tenant),
      scopeName.use(tenant, use_case),
      scopeName.principal(tenant, principal_id),
      scopeName.key(credential),
    ])
      into.money.restore(scope, hour_ms, nanoUsd(nano_usd));
  for (const { key, body, decision_id, seq, interrupted, at_ms } of await index.idempotentSince(
    into.node,
    into.clock.now() - 24 * 3600_000,
  ))
    into.idempotency.restore(key, {
      decision: decision_id as DecisionId,
      body,
      seq,
      state: interrupted ? "interrupted" : "done",
      atMs: at_ms,
    });
}

/** What metrics and alerts ask of the house. Budgets of single principals and keys are the console's: there may be many. */
function stateOf(of: {
  journal: Journal;
  limits: LimitBook;
  money: MoneyBook;
  cache: ExactCache;
  health: HealthBook;
  capacity: Capacity;
  vendorKeys: VendorKeys;
  serving: Serving;
}): HouseState {
  const { journal, limits, money, cache, health, capacity, vendorKeys, serving } = of;
  const snapshot = () => serving.current().snapshot;
  return {
    running: () => limits.running,
    heldNanoUsd: () => money.held,
    spentNanoUsd: () => [...snapshot().tenants.keys()].map((tenant) => [tenant, money.totals(tenant).spent] as const),
    cache: () => ({ ...cache.figures(), flights: cache.leading }),
    journal: () => journal.health(),
    targets: () => health.all(),
    capacity: () => capacity.states(),
    budgets: () => money.statesOf(budgetedScopes(snapshot())),
    vendorKeys: () =>
      [...snapshot().vendors.values()].flatMap((vendor) =>
        vendorKeys.of(vendor).map(({ id, state }) => ({ vendor: vendor.name, id, state })),
      ),
  };
}

function budgetedScopes({ tenants, useCases }: Snapshot) {
  return [...tenants.values()].flatMap(({ name, limits, budgets = [] }) => [
    { level: "tenant" as const, name: scopeName.tenant(name), limits, budgets },
    ...[...useCases.values()]
      .filter((useCase) => (useCase.budgets?.length ?? 0) > 0)
      .filter(({ tenants: served }) => served.length === 0 || served.includes(name))
      .map((useCase) => ({
        level: "use" as const,
        name: scopeName.use(name, useCase.name),
        limits: useCase.limits,
        budgets: useCase.budgets ?? [],
      })),
  ]);
}
