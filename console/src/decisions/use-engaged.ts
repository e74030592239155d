import { useCallback, useEffect, useState } from "react";

const calmMs = 2_500;

/** True while the reader points at or types in the list, and shortly after: rows must not move under a pointer. */
export function useEngaged(): { now: boolean; touch: () => void; leave: () => void } {
  const [touchedAt, setTouchedAt] = useState(0);
  useEffect(() => {
    if (touchedAt === 0) return;
    const timer = setTimeout(() => setTouchedAt(0), calmMs);
    return () => clearTimeout(timer);
  }, [touchedAt]);
  const touch = useCallback(() => {
    const now = Date.now();
    // Pointers move hundreds of times a second; four updates a second hold the list as well.
    setTouchedAt((before) => (now - before > 250 ? now : before));
  }, []);
  const leave = useCallback(() => setTouchedAt(0), []);
  return { now: touchedAt !== 0, touch, leave };
}
