import{f as r}from"./parts/chunk-2K3MTQBO.js";import"./parts/chunk-NUQLZ56A.js";import"./parts/chunk-EUKIPCYT.js";r();
