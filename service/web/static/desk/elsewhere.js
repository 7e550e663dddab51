import{c as r}from"./parts/chunk-C4BRMKGR.js";import"./parts/chunk-NUQLZ56A.js";import"./parts/chunk-EUKIPCYT.js";r();
