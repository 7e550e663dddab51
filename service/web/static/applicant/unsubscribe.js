import{p as r}from"./parts/chunk-TS64OQLP.js";import"./parts/chunk-2CYTGZFS.js";r();
