/**
 * A runtime serves a model in this process (or in a worker of it). Loading is the only place where a model file is read;
 * a file that does not load is refused there, and its rung is then not eligible.
 */
import type { ChatRequest, ChatResponse } from "../../kernel/chat.ts";
import type { FeatureValue, Reason } from "../../kernel/decision.ts";
import type { FeatureContract } from "../../kernel/snapshot.ts";
import type { Passage } from "../../retrieval/port.ts";
import type { Signal } from "../../kernel/signal.ts";

export interface ScoreModel {
  kind: "score";
  /** Microseconds of a call with one row, measured at load. Calls that would block the event loop for long run in a worker. */
  readonly costMicros: number;
  /** The library that runs it and, where it is not the fastest there is, why not. */
  readonly engine?: string;
  /**
   * One score in [0, 1] per row, in order. Rows have passed the feature contract. Calls of the same turn of the event loop
   * may run as one batch; a fault of one row is the fault of its call only. Rejects with the signal's reason, or with a
   * WeirError: `overloaded` where too many rows wait, `deadline_exceeded` where the call's time (monotonic, if
   * given) was up before its turn, `internal` on a fault.
   */
  score(rows: readonly Record<string, FeatureValue>[], signal?: Signal, deadlineAt?: number): Promise<ScoredRow[]>;
  close(): Promise<void>;
}

export interface ScoredRow {
  score: number;
  /** Rules that fired, for models that know them. */
  reasons: Reason[];
}

export interface ChatModel {
  kind: "chat";
  /** `undefined` is an abstention: the next rung is taken. */
  answer(request: ChatRequest, passages: readonly Passage[], signal?: Signal): Promise<ChatResponse | undefined>;
  close(): Promise<void>;
}

/** Says what texts hold. */
export interface ModerateModel {
  kind: "moderate";
  /** Findings by detector, one for each text; 0 where a wanted one found nothing. Rejects with the signal's reason. */
  judge(
    texts: readonly string[],
    wanted: readonly string[] | undefined,
    signal?: Signal,
  ): Promise<Record<string, number>[]>;
  close(): Promise<void>;
}

export type LoadedModel = ScoreModel | ChatModel | ModerateModel;

export interface Runtime {
  name: "onnx" | "rules" | "extractive" | "detectors";
  /** Rejects with an Error that says what is wrong with the file and what to do. */
  load(model: { name: string; bytes?: Uint8Array; contract?: FeatureContract }): Promise<LoadedModel>;
}
