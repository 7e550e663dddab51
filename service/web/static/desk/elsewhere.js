import{b as r}from"./parts/chunk-4UYRPQKB.js";import"./parts/chunk-NUQLZ56A.js";import"./parts/chunk-EUKIPCYT.js";r();
