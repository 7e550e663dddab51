import{b as r}from"./parts/chunk-7IKJH4A3.js";import"./parts/chunk-OZZKFT5O.js";import"./parts/chunk-EUKIPCYT.js";r();
