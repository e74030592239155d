import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Vite asks for a default export here; nowhere else in the console is there one.
export default defineConfig({
  base: "/console/",
  plugins: [react(), tailwind()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    // oklch() and color-mix() stay as written: the browsers that Weir supports know both.
    cssTarget: ["chrome123", "firefox128", "safari17.5"],
    target: "es2023",
    // The polyfill would be an inline script, which the content security policy forbids.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    manifest: true,
  },
  server: {
    host: "127.0.0.1",
    proxy: { "/admin": "http://127.0.0.1:4717" },
  },
});
