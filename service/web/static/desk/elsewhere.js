import{f as r}from"./parts/chunk-QKI5XJNF.js";import"./parts/chunk-NUQLZ56A.js";import"./parts/chunk-EUKIPCYT.js";r();
