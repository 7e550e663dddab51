import{b as r}from"./parts/chunk-I6MKKHL5.js";import"./parts/chunk-BY2S3V32.js";import"./parts/chunk-EUKIPCYT.js";r();
