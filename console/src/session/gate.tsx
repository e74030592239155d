/** Decides what there is to see: the sign-in, or the shell with a screen. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { sessionQuery } from "../api/queries.ts";
import { Failed, Loading } from "../shell/notice.tsx";
import { Shell } from "../shell/shell.tsx";
import { linkSignIn, pendingInvite } from "./link.ts";
import { SignIn } from "./sign-in.tsx";

export function Gate() {
  const [link, setLink] = useState<{ through: boolean; trouble?: string }>({ through: linkSignIn() === undefined });
  useEffect(() => {
    let gone = false;
    void linkSignIn()?.then((trouble) => {
      if (!gone) setLink(trouble === undefined ? { through: true } : { through: true, trouble });
    });
    return () => {
      gone = true;
    };
  }, []);
  const session = useQuery({ ...sessionQuery, enabled: link.through });
  if (pendingInvite() !== undefined) return <SignIn />;
  if (!link.through || session.isPending) return <Whole>{<Loading what="your session" />}</Whole>;
  if (session.isError && session.data === undefined)
    return <Whole>{<Failed error={session.error} retry={() => void session.refetch()} />}</Whole>;
  if (session.data === null || session.data === undefined)
    return <SignIn {...(link.trouble === undefined ? {} : { trouble: link.trouble })} />;
  return <Shell session={session.data} />;
}

const Whole = ({ children }: { children: React.ReactNode }) => (
  <main className="grid h-full place-items-center p-6">{children}</main>
);
