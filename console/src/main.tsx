import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { queryClient } from "./api/queries.ts";
import { router } from "./router.tsx";
import { takeLink } from "./session/link.ts";
import "./styles.css";

// Before the router reads the address: a one-time token must not stay in it.
takeLink();

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root element to render the console into");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
