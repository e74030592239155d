/** The process's life: assemble → load → listen → drain. Everything that a running server has is closed in `stop`. */
import { readFileSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { type AssembleOptions, type House, assemble } from "./assemble.ts";
import { type AdminSide, assembleAdmin } from "./assemble-admin.ts";
import { clientDialects } from "./engines/dialects/index.ts";
import { cohereRerankClient, openaiEmbeddingsClient, openaiModerationsClient } from "./engines/tasks/index.ts";
import type { SettledMeta } from "./kernel/decision.ts";
import type { UseCase } from "./kernel/snapshot.ts";
import { decide } from "./path/decide.ts";
import { anthropicRoutes } from "./surfaces/anthropic/index.ts";
import { createConsole } from "./surfaces/console/index.ts";
import { decisionRoutes } from "./surfaces/decisions/index.ts";
import { type Gateway, createGatewayServer } from "./surfaces/gateway/index.ts";
import { inferenceV2Routes } from "./surfaces/inference-v2/index.ts";
import { mayCall, openaiRoutes } from "./surfaces/openai/index.ts";
import { createOpsServer } from "./surfaces/ops/index.ts";
import { type OutcomePorts, outcomeRoutes } from "./surfaces/outcomes/index.ts";
import { rerankRoutes } from "./surfaces/rerank/index.ts";

export interface StartOptions extends AssembleOptions {
  /** Folder of the built console; absent: no console. */
  consoleDir?: string;
  /** The example prints credentials; a production start never does. */
  example?: boolean;
  /** Takes a free port where the configured one is in use. */
  anyPort?: boolean;
}

export interface Running {
  house: House;
  admin: AdminSide;
  /** Where clients reach it, e.g. `http://127.0.0.1:8080`. */
  origin: string;
  opsOrigin: string;
  /** Stops taking requests, lets running ones end for up to `graceMs`, closes everything. */
  stop(graceMs?: number): Promise<void>;
}

const reloadEveryMs = 500;

export async function start(options: StartOptions): Promise<Running> {
  const { clock, log, settings } = options;
  const house = await assemble(options);
  let draining = false;
  const stopping = new AbortController();
  const gateway: Gateway = {
    clock,
    decide: (call) => decide(house.path, call),
    countRefusal: (refusal) => house.path.countRefusal(refusal),
    report: (fault) => log.fault("an exchange met a fault", fault),
    draining: () => draining,
    maxBodyBytes: settings.server.max_body_mb * 2 ** 20,
  };
  const scheme = settings.server.tls ? "https" : "http";
  let admin: AdminSide | undefined;
  const serveConsole = options.consoleDir === undefined ? undefined : createConsole(options.consoleDir);
  const lists = {
    identify: house.path.identify,
    snapshot: house.path.snapshot,
    sinceMs: () => house.serving().appliedAtMs,
  };
  const { server, idle } = createGatewayServer(gateway, {
    routes: [
      ...openaiRoutes(
        gateway,
        {
          openai: clientDialects["openai-chat"],
          responses: clientDialects["openai-responses"],
          completions: clientDialects["openai-completions"],
          embeddings: openaiEmbeddingsClient,
          moderations: openaiModerationsClient,
          anthropic: clientDialects["anthropic-messages"],
        },
        lists,
      ),
      ...anthropicRoutes(gateway, clientDialects["anthropic-messages"], {
        ...lists,
        mayCall,
        count: (useCase, request) => house.countTokens(useCase, request),
      }),
      ...rerankRoutes(gateway, cohereRerankClient),
      ...decisionRoutes(gateway),
      ...inferenceV2Routes(gateway, {
        identify: house.path.identify,
        snapshot: house.path.snapshot,
        version: options.version,
        ready: (useCase) => isReady(house, useCase),
      }),
      ...outcomeRoutes(gateway, outcomePorts(house)),
    ],
    fallback: (request, response) =>
      (admin?.handle(request, response) ?? false) || (serveConsole?.(request, response) ?? false),
    ...(settings.server.tls && { tls: readTls(options.root, settings.server.tls) }),
  });
  const ops = createOpsServer({
    readiness: () => ({
      serving: draining ? "draining" : true,
      journal: house.journal.health().writable || "the journal can't be written",
    }),
    metrics: () => house.metrics.print(),
    report: (fault) => log.fault("a probe met a fault", fault),
  });
  const { host } = settings.server;
  const anyPort = options.anyPort ?? false;
  await listen(server, host, settings.server.port, anyPort);
  await listen(ops, host, settings.server.ops_port, anyPort);
  const local = `${scheme}://${host.includes(":") ? `[${host}]` : host}:${portOf(server)}`;
  const origin = settings.server.public_origin ?? local;
  admin = assembleAdmin(house, {
    version: options.version,
    example: options.example ?? false,
    origin,
    stopping: stopping.signal,
  });
  const stopReloading = reloadLoop(house, options);
  return {
    house,
    admin,
    origin: local,
    opsOrigin: `http://${host}:${portOf(ops)}`,
    async stop(graceMs = 30_000) {
      draining = true;
      stopping.abort();
      stopReloading();
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeIdleConnections();
      await Promise.race([closed, clock.sleep(graceMs)]);
      server.closeAllConnections();
      await closed;
      // What was cut off still has to be settled before the journal closes.
      await idle();
      await new Promise<void>((done) => {
        ops.close(() => done());
        ops.closeAllConnections();
      });
      await house.close();
    },
  };
}

function outcomePorts(house: House): OutcomePorts {
  const { index, journal, digest, scrub } = house;
  return {
    clock: house.path.clock,
    journal,
    identify: house.path.identify,
    async decisionOf(decision) {
      // The projection lags by a batch: a decision of a moment ago is worth a second look.
      const known = (await index.get(decision)) ?? (await index.caughtUp().then(() => index.get(decision)));
      const settled = known?.entries.find((entry) => entry.kind === "settled")?.meta as SettledMeta | undefined;
      return (
        known &&
        settled && {
          tenant: known.tenant,
          use_case: settled.use_case,
          environment: settled.environment,
          state: settled.state,
        }
      );
    },
    known: (tenant, outcomeId) => index.outcomeDigest(tenant, outcomeId),
    digest,
    scrub,
  };
}

/** A use case is ready when at least one rung of a model is there to serve it. */
function isReady(house: House, useCase: UseCase): boolean {
  return useCase.ladder.some((rung) => {
    const names =
      rung.type === "pool" ? rung.members.map((member) => member.model) : rung.type === "model" ? [rung.model] : [];
    return names.some((name) => {
      const model = house.path.snapshot().models.get(name);
      return model?.type === "vendor" || (model !== undefined && !("failed" in house.models.get(model)));
    });
  });
}

/** A snapshot that another process applied serves here within half a second; a bad one leaves the old one serving. */
function reloadLoop(house: House, { clock, log }: StartOptions): () => void {
  let stop = () => {};
  let stopped = false;
  const look = async () => {
    try {
      if (await house.reload()) log.info("a new snapshot serves", { snapshot: house.path.snapshot().number });
    } catch (fault) {
      log.fault("the applied snapshot can't be loaded; the old one goes on serving", fault);
    }
    if (!stopped) stop = clock.after(reloadEveryMs, () => void look());
  };
  stop = clock.after(reloadEveryMs, () => void look());
  return () => {
    stopped = true;
    stop();
  };
}

const readTls = (root: string, tls: { cert: string; key: string }) => ({
  cert: readFileSync(resolve(root, tls.cert)),
  key: readFileSync(resolve(root, tls.key)),
});

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

async function listen(server: Server, host: string, port: number, anyPort: boolean): Promise<void> {
  try {
    await bind(server, host, port);
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== "EADDRINUSE") throw fault;
    if (!anyPort || port === 0)
      throw new Error(`port ${port} is in use; set another in server.port or server.ops_port`, { cause: fault });
    await bind(server, host, 0);
  }
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((done, fail) => {
    server.once("error", fail);
    server.listen(port, host, () => {
      server.off("error", fail);
      done();
    });
  });
}
