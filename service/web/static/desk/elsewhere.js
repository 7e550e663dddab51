import{c as r}from"./parts/chunk-W6DICS7I.js";import"./parts/chunk-NUQLZ56A.js";import"./parts/chunk-EUKIPCYT.js";r();
