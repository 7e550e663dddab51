import{b as r}from"./parts/chunk-Q63YHXRB.js";import"./parts/chunk-NUQLZ56A.js";import"./parts/chunk-EUKIPCYT.js";r();
