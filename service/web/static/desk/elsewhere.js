import{b as r}from"./parts/chunk-FNCEQRBW.js";import"./parts/chunk-IKGPY4L3.js";import"./parts/chunk-EUKIPCYT.js";r();
