/** Keys that work everywhere, and the sheet that lists all of them. */
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { Cross } from "./icons.tsx";

const sheet: { title: string; keys: [string[], string][] }[] = [
  {
    title: "Everywhere",
    keys: [
      [["g", "o"], "Overview"],
      [["g", "d"], "Decisions"],
      [["g", "r"], "Routes"],
      [["g", "h"], "Health"],
      [["g", "c"], "Cost"],
      [["g", "l"], "Limits"],
      [["g", "k"], "Cache"],
      [["g", "a"], "Alerts"],
      [["?"], "This sheet"],
      [["Esc"], "Close a dialog"],
    ],
  },
  {
    title: "Decisions",
    keys: [
      [["/"], "Focus the filter"],
      [["p"], "Pause or resume the stream"],
      [["↑", "↓"], "Choose a row (also k, j)"],
      [["Home", "End"], "First, last row"],
      [["Enter"], "Open the chosen decision"],
    ],
  },
  { title: "Decision", keys: [[["Backspace"], "Back to the list"]] },
];

const goTo: Record<string, string> = {
  o: "/",
  d: "/decisions",
  r: "/routes",
  h: "/health",
  c: "/cost",
  l: "/limits",
  k: "/cache",
  a: "/alerts",
};

const openEvent = "weir:shortcuts";
export const openShortcuts = (): void => void dispatchEvent(new Event(openEvent));

/** True where a key belongs to what is being typed into. */
export const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || ["INPUT", "SELECT", "TEXTAREA"].includes(target.tagName));

export function Shortcuts() {
  const [open, setOpen] = useState(false);
  const navigate = useNavigate();
  useEffect(() => {
    let before = "";
    const press = (event: KeyboardEvent): void => {
      if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "?") setOpen(true);
      const screen = before === "g" ? goTo[event.key] : undefined;
      if (screen !== undefined) void navigate({ to: screen });
      before = event.key;
    };
    const show = (): void => setOpen(true);
    addEventListener("keydown", press);
    addEventListener(openEvent, show);
    return () => {
      removeEventListener("keydown", press);
      removeEventListener(openEvent, show);
    };
  }, [navigate]);
  return (
    <ModalOverlay
      isOpen={open}
      onOpenChange={setOpen}
      isDismissable
      className="fixed inset-0 z-40 grid place-items-center bg-[oklch(0.1_0.01_240/0.5)] p-6"
    >
      <Modal className="panel w-full max-w-md shadow-[var(--shadow)]">
        <Dialog className="p-4 outline-none">
          <div className="mb-3 flex items-center">
            <Heading slot="title" className="text-sm font-semibold">
              Keyboard shortcuts
            </Heading>
            <button
              type="button"
              aria-label="Close"
              className="ml-auto grid size-7 place-items-center rounded text-ink-3 hover:bg-hover"
              onClick={() => setOpen(false)}
            >
              <Cross />
            </button>
          </div>
          <div className="grid gap-4">
            {sheet.map(({ title, keys }) => (
              <section key={title}>
                <h3 className="mb-1.5 text-xs font-semibold text-ink-3">{title}</h3>
                <dl className="grid grid-cols-[7rem_1fr] gap-y-1.5 text-xs">
                  {keys.map(([names, what]) => (
                    <div key={what} className="contents">
                      <dt className="flex gap-1">
                        {names.map((name) => (
                          <kbd key={name} className="key">
                            {name}
                          </kbd>
                        ))}
                      </dt>
                      <dd>{what}</dd>
                    </div>
                  ))}
                </dl>
              </section>
            ))}
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
