import { useLayoutEffect, useRef, useState } from "react";

/** The width an element has got, so that a chart is drawn 1:1 and its text never scales. */
export function useWidth<Element extends HTMLElement>(initial: number): [React.RefObject<Element | null>, number] {
  const ref = useRef<Element>(null);
  const [width, setWidth] = useState(initial);
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return;
    setWidth(Math.round(element.clientWidth));
    const observer = new ResizeObserver(() => setWidth(Math.round(element.clientWidth)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}
